//! Plans: which columns meet, what the key is, and what has no plan.

use catalog::{Condition, Generated, RuleSet};
use digest::SourceValue::{self, Bytes, Int};
use verify::{Buckets, DrillLimits, SampleKind, SideSums, TablePlan, TableReport, compare};

use crate::fixture::{Fields, rule, run, run_within, source_table, target_table};

fn plan(source: &[(&str, &str)], target: &[(&str, &str)]) -> Result<TablePlan, verify::Error> {
    let (source, target) = (source_table(source, &[]), target_table(target, &[]));
    TablePlan::new("db", &source, &target, &RuleSet::default(), "UTC")
}

#[test]
fn columns_meet_by_name_in_the_order_of_the_source() {
    let mut source = source_table(
        &[("B", "int"), ("a", "text"), ("sum", "int"), ("old", "int")],
        &[],
    );
    let mut target = target_table(
        &[
            ("a", "text"),
            ("more", "text"),
            ("B", "integer"),
            ("sum", "integer"),
            ("old", "integer"),
        ],
        &[],
    );
    source.columns[2].generated = Some(Generated::stored("`B` + 1"));
    target.columns[4].generated = Some(Generated::stored("\"B\" + 1"));
    let plan = TablePlan::new("db", &source, &target, &RuleSet::default(), "UTC").expect("a plan");
    let source_names: Vec<&str> = plan.source_columns().map(|c| c.name.as_str()).collect();
    let target_names: Vec<&str> = plan.target_columns().map(|c| c.name.as_str()).collect();
    assert_eq!(source_names, ["B", "a"]);
    assert_eq!(target_names, source_names);
    assert_eq!(plan.columns_not_compared(), ["more", "sum", "old"]);
    assert_eq!(plan.key_columns().count(), 0);
    let comparison = run(
        &plan,
        &[vec![Int(1), Bytes(b"x")]],
        &[vec![Some(vec![0, 0, 0, 1]), Some(b"x".to_vec())]],
    );
    assert!(comparison.findings.is_empty());
}

#[test]
fn the_key_is_the_targets_then_the_sources() {
    let columns = [("a", "int"), ("b", "int")];
    let target_columns = [("a", "integer"), ("b", "integer"), ("c", "integer")];
    let key = |source_key: &[&str], target_key: &[&str]| {
        let source = source_table(&columns, source_key);
        let target = target_table(&target_columns, target_key);
        let plan = TablePlan::new("db", &source, &target, &RuleSet::default(), "UTC");
        let plan = plan.expect("a plan");
        plan.key_columns().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(key(&["a"], &["b", "a"]), ["b", "a"]);
    assert_eq!(key(&["a"], &["c"]), ["a"]);
    assert_eq!(key(&["a"], &[]), ["a"]);
    assert_eq!(key(&[], &["c"]), Vec::<String>::new());
}

#[test]
fn what_cannot_be_compared_is_said() {
    for (source, target, message) in [
        (
            vec![("a", "int"), ("b", "int")],
            vec![("a", "integer")],
            "cannot compare `db.thing.b`: the target has no such column",
        ),
        (
            vec![("a", "int")],
            vec![("a", "date")],
            "cannot compare `db.thing.a`: no conversion from `int` to `date` is known",
        ),
        (
            vec![("a", "point")],
            vec![("a", "point")],
            "cannot compare `db.thing.a`: no conversion from `point` to `point` is known",
        ),
        (
            vec![],
            vec![("a", "date")],
            "cannot compare `db.thing`: the two tables have no column in common",
        ),
    ] {
        let error = plan(&source, &target).expect_err("no plan");
        assert_eq!(error.to_string(), message);
        assert!(!error.hint().is_empty());
    }
    let (source, target) = (
        source_table(&[("a", "int")], &[]),
        target_table(&[("a", "integer")], &[]),
    );
    let error = TablePlan::new("db", &source, &target, &RuleSet::default(), "Moon/Tycho");
    assert_eq!(
        error.expect_err("no plan").to_string(),
        "cannot compare `db.thing`: `datetime_zone` `Moon/Tycho` is not a known zone"
    );
}

/// A table of numbers whose keys are uuids on both sides, in another case on the source.
fn numbers(count: u8) -> (TablePlan, Vec<[u8; 36]>, Vec<Fields>) {
    let source = source_table(&[("id", "char(36)"), ("n", "int")], &["id"]);
    let target = target_table(&[("id", "uuid"), ("n", "integer")], &["id"]);
    let plan = TablePlan::new("db", &source, &target, &RuleSet::default(), "UTC").expect("a plan");
    let ids = (0..count).map(|n| {
        let text = format!("000000{n:02X}-0000-0000-0000-0000000000FF");
        text.into_bytes().try_into().expect("36 characters")
    });
    let fields = (0..count).map(|n| {
        let mut id = vec![0; 16];
        (id[3], id[15]) = (n, 0xff);
        vec![Some(id), Some(vec![0, 0, 0, n])]
    });
    (plan, ids.collect(), fields.collect())
}

fn source_rows(ids: &[[u8; 36]]) -> Vec<Vec<SourceValue<'_>>> {
    let rows = ids.iter().zip(0..);
    rows.map(|(id, n)| vec![Bytes(id), Int(n)]).collect()
}

#[test]
fn keys_that_are_equal_in_another_spelling_meet() {
    let (plan, ids, mut fields) = numbers(200);
    let rows = source_rows(&ids);
    fields.reverse();
    assert!(run(&plan, &rows, &fields).findings.is_empty());
    fields[199][1] = Some(vec![0, 0, 1, 0]);
    let comparison = run(&plan, &rows, &fields);
    assert_eq!(comparison.findings.different, 1);
    let sample = &comparison.findings.samples[0];
    assert_eq!(sample.kind, SampleKind::Different);
    let key = (
        "id".to_owned(),
        "00000000-0000-0000-0000-0000000000ff".to_owned(),
    );
    assert_eq!(sample.key, [key]);
    assert_eq!(sample.columns, ["n"]);
}

#[test]
fn memory_is_bounded_by_more_passes_and_everything_is_counted() {
    let (plan, ids, mut fields) = numbers(250);
    let rows = source_rows(&ids);
    for row in &mut fields[..120] {
        row[1] = Some(vec![1, 1, 1, 1]);
    }
    fields.truncate(200);
    let limits = |memory_bytes| DrillLimits {
        samples: 7,
        memory_bytes,
        ..DrillLimits::default()
    };
    let (roomy, passes) = run_within(&plan, &rows, &fields, limits(u64::MAX));
    assert_eq!(passes, 1);
    let (tight, passes) = run_within(&plan, &rows, &fields, limits(400));
    assert!(passes > 5, "{passes} passes");
    for comparison in [&roomy, &tight] {
        assert_eq!(comparison.findings.different, 120);
        assert_eq!(comparison.findings.missing, 50);
        assert_eq!(comparison.findings.unexpected, 0);
        assert_eq!(comparison.findings.samples.len(), 7);
    }
}

#[test]
fn parts_of_a_side_can_be_read_apart() {
    let (plan, ids, fields) = numbers(100);
    let rows = source_rows(&ids);
    let buckets = Buckets::for_rows(1_000_000);
    let (mut first, mut second) = (plan.side_sums(buckets), plan.side_sums(buckets));
    let mut target = plan.side_sums(buckets);
    rows[..30].iter().for_each(|row| first.add_source(row));
    rows[30..]
        .iter()
        .rev()
        .for_each(|row| second.add_source(row));
    for row in &fields {
        let row: Vec<Option<&[u8]>> = row.iter().map(Option::as_deref).collect();
        target.add_target(&row);
    }
    assert!(!compare(&first, &target).is_equal());
    first.merge(&second);
    assert!(compare(&first, &target).is_equal());
    assert_eq!(first.rows(), 100);
    assert_eq!(first.total(), target.total());
}

#[test]
fn both_sides_can_be_read_in_threads_of_their_own() {
    let (plan, ids, fields) = numbers(50);
    let buckets = Buckets::for_rows(50);
    let equal = std::thread::scope(|scope| {
        let source = scope.spawn(|| {
            let mut sums = plan.side_sums(buckets);
            source_rows(&ids)
                .iter()
                .for_each(|row| sums.add_source(row));
            sums
        });
        let target = scope.spawn(|| {
            let mut sums = plan.side_sums(buckets);
            for row in &fields {
                let row: Vec<Option<&[u8]>> = row.iter().map(Option::as_deref).collect();
                sums.add_target(&row);
            }
            sums
        });
        let source = source.join().expect("no panic");
        compare(&source, &target.join().expect("no panic")).is_equal()
    });
    assert!(equal);
}

#[test]
fn the_report_has_the_fields_of_the_contract() {
    let (plan, ids, mut fields) = numbers(3);
    let rows = source_rows(&ids);
    fields[1][1] = None;
    let findings = run(&plan, &rows, &fields).findings;
    let buckets = Buckets::for_rows(3);
    let (mut source, mut target) = (plan.side_sums(buckets), plan.side_sums(buckets));
    rows.iter().for_each(|row| source.add_source(row));
    for row in &fields {
        let row: Vec<Option<&[u8]>> = row.iter().map(Option::as_deref).collect();
        target.add_target(&row);
    }
    let table = TableReport::new(&source, &target, findings);
    let report = verify::VerifyReport {
        schema_version: 1,
        compared: verify::Compared::default(),
        sample_percent: None,
        verdict: verify::Verdict::SourceMoved,
        databases: vec![verify::DatabaseReport {
            name: "db".to_owned(),
            tables: vec![table],
            ..verify::DatabaseReport::default()
        }],
    };
    assert!(!report.databases[0].is_equal());
    let json = serde_json::to_string(&report).expect("a report is JSON");
    let id = "00000001-0000-0000-0000-0000000000ff";
    assert_eq!(
        json,
        format!(
            "{{\"schema_version\":1,\"verdict\":\"source_moved\",\"databases\":[{{\"name\":\"db\",\
             \"tables\":[{{\"name\":\"thing\",\"source_rows\":3,\"target_rows\":3,\"left_out\":0,\
             \"equal\":false,\"missing\":0,\"unexpected\":0,\"different\":1,\"rules\":[],\
             \"samples\":[{{\"kind\":\"different\",\"key\":{{\"id\":\"{id}\"}},\
             \"columns\":[\"n\"]}}]}}],\"catalog\":[],\"checks\":[]}}]}}"
        )
    );
}

#[test]
fn the_page_has_the_table_and_the_version() {
    let page = include_str!("../../../../docs/verification.md");
    let table: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| tag"))
        .skip_while(|line| !line.starts_with("| source"))
        .skip(2)
        .collect();
    let expected: Vec<String> = verify::equivalences()
        .iter()
        .map(|line| format!("| {} | {} | {} |", line.source, line.target, line.equal))
        .collect();
    assert_eq!(table, expected);
    let version = format!("This is version {} of the form.", digest::CANONICAL_VERSION);
    assert!(page.contains(&version));
}

#[test]
fn json_is_first_compared_as_it_is_spelled_where_the_target_keeps_that() {
    let columns = [("id", "int"), ("doc", "json"), ("more", "json")];
    let of = |document: &str| {
        plan(
            &columns,
            &[("id", "integer"), ("doc", document), ("more", "jsonb")],
        )
    };
    let buckets = Buckets::for_rows(1);
    let nowhere = of("jsonb").expect("a plan");
    assert!(nowhere.spelled_sums(buckets).is_none());
    let with = |condition, outcome| {
        let kept = [("id", "integer"), ("doc", "json"), ("more", "json")];
        let (source, target) = (source_table(&columns, &[]), target_table(&kept, &[]));
        let rules = rule(condition, outcome);
        let plan = TablePlan::new("db", &source, &target, &rules, "UTC").expect("a plan");
        plan.spelled_sums(buckets).is_some()
    };
    assert!(with(Condition::EmptyUuid, "null"));
    assert!(!with(Condition::JsonNul, "strip"));
    let plan = of("json").expect("a plan");
    // Of jsonb, the server keeps no spelling: it is compared by its meaning in either way.
    let more = [1, b'{', b'}'];
    for (document, as_spelled, by_meaning) in [
        (&b"{\"a\": 1}"[..], true, true),
        (b"{\"a\":1}", false, true),
        (b"{\"a\": 2}", false, false),
    ] {
        let is_equal = |mut source: SideSums<'_>, mut target: SideSums<'_>| {
            let id = [0, 0, 0, 1];
            source.add_source(&[Int(1), Bytes(b"{\"a\": 1}"), Bytes(b" { } ")]);
            target.add_target(&[Some(&id[..]), Some(document), Some(&more[..])]);
            compare(&source, &target).is_equal()
        };
        let spelled = || plan.spelled_sums(buckets).expect("one column is kept");
        let canonical = || plan.side_sums(buckets);
        assert_eq!(is_equal(spelled(), spelled()), as_spelled, "{document:?}");
        assert_eq!(
            is_equal(canonical(), canonical()),
            by_meaning,
            "{document:?}"
        );
    }
}
