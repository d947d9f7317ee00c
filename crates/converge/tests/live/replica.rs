//! A final move from a replica.

use catalog::ServerKind;

use crate::own_servers::OwnServers;
use crate::support::{Workplace, wait_for};

const SCHEMA: &str = "create table t (id int primary key); insert into t values (1)";

/// Makes the second server follow the first, whose databases are alike.
fn follow(leader: &OwnServers, replica: &OwnServers) -> String {
    let endpoint = leader.source().endpoint().to_string();
    let (_, place) = endpoint.rsplit_once('@').unwrap();
    let (server, _) = place.split_once('/').unwrap();
    let (host, port) = server.split_once(':').unwrap();
    let mut connection = leader.source();
    let is_mariadb = connection.server().kind == ServerKind::Mariadb;
    let status = match is_mariadb {
        true => "show master status",
        false => "show binary log status",
    };
    let row = connection.query_text(status).unwrap().remove(0);
    let (file, position) = (row[0].clone().unwrap(), row[1].clone().unwrap());
    let mut connection = replica.source();
    connection.execute("set global server_id = 2").unwrap();
    let password = leader.source_password();
    let (change, start) = match is_mariadb {
        true => (
            format!(
                "change master to master_host = '{host}', master_port = {port}, \
                 master_user = 'root', master_password = '{password}', master_log_file = '{file}', \
                 master_log_pos = {position}"
            ),
            "start slave",
        ),
        false => (
            format!(
                "change replication source to source_host = '{host}', source_port = {port}, \
                 source_user = 'root', source_password = '{password}', source_log_file = '{file}', \
                 source_log_pos = {position}, get_source_public_key = 1"
            ),
            "start replica",
        ),
    };
    connection.execute(&change).unwrap();
    connection.execute(start).unwrap();
    server.to_owned()
}

#[test]
fn a_final_move_from_a_replica_says_whose_it_is_and_how_far_behind() {
    let (leader, replica) = (OwnServers::up("leader"), OwnServers::up("replica"));
    for servers in [&leader, &replica] {
        servers.source().execute_script(SCHEMA).unwrap();
    }
    let sql = "create table public.t (id integer primary key)";
    replica.target().batch_execute(sql).unwrap();
    let server = follow(&leader, &replica);
    leader
        .source()
        .execute("insert into alkemio.t values (2)")
        .unwrap();
    let mut connection = replica.source();
    wait_for("the row has arrived", || {
        let rows = connection.query_text("select id from alkemio.t where id = 2");
        rows.unwrap().pop()
    });
    // The row arrives a moment before the server says so.
    wait_for("it has caught up", || {
        let followed = connection.followed().unwrap().unwrap_or_default();
        (followed[0].behind_seconds == Some(0)).then_some(())
    });
    let workplace = Workplace::at(&[("shop", replica.source_url(), replica.target_url(), "")]);
    let is_mariadb = connection.server().kind == ServerKind::Mariadb;
    let standing = format!("is a replica of {server}, 0 s behind it");
    let outcome = workplace.run(&["migrate", "--final"]);
    assert!(outcome.stderr.contains(&standing), "{}", outcome.text());
    if is_mariadb {
        // Its own log does not show what it applies.
        assert_eq!(outcome.code, 3, "{}", outcome.text());
        assert!(
            outcome
                .stderr
                .contains(&format!("name {server} in databases.shop.source"))
        );
        assert!(!outcome.stderr.contains("grant replication client"));
    } else {
        assert_eq!(outcome.code, 0, "{}", outcome.text());
        workplace.run(&["rollback"]).expect(0);
    }
    // A lock holds up what the replica applies.
    connection.execute("lock tables alkemio.t write").unwrap();
    leader
        .source()
        .execute("insert into alkemio.t values (3)")
        .unwrap();
    let mut other = replica.source();
    wait_for("it is behind", || {
        let followed = other.followed().unwrap().unwrap_or_default();
        followed[0].behind_seconds.filter(|seconds| *seconds > 0)
    });
    let outcome = workplace.run(&["migrate", "--final"]).expect(3);
    assert!(
        outcome.stderr.contains(" s behind it, and a final move"),
        "{}",
        outcome.text()
    );
    connection.execute("unlock tables").unwrap();
}
