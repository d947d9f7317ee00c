//! Rows that cannot be moved as they are: one answer in all commands, before anything moves.

use crate::check::applied;

#[test]
fn a_table_of_generated_columns_alone_is_refused_with_its_rows() {
    let source = "create table g (a int as (1 + 1) stored, b int as (2) virtual); \
                  insert into g values (), (), (); \
                  create table t (id int primary key); insert into t values (1);";
    let (databases, workplace) = applied(source, "schema_owner: converge");
    for command in ["doctor", "assess", "export", "migrate"] {
        let refused = workplace.run(&[command]).expect(3);
        let said = "whose rows hold no values to move: `g` (3 rows)";
        let text = refused.text();
        assert!(text.contains(said), "{command}: {text}");
    }
    let rows = databases
        .postgres()
        .query_text("select count(*)::text from t");
    assert_eq!(
        rows.unwrap(),
        [[Some("0".to_owned())]],
        "nothing was changed"
    );
}
