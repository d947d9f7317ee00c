//! What a benchmark does, in which order: steps before the first round, and steps of each round.
//!
//! It does nothing itself. Every step of a round is measured, those before are not.

use clap::ValueEnum;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// Look at all values
    Assess,
    /// Read the source into files
    Export,
    /// Convert the files
    Transform,
    /// Load the files into the target
    Import,
    /// Compare both sides
    Verify,
    /// All of these by one command
    Migrate,
}

/// What is done and measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A command of converge.
    Converge(Verb),
    /// The least that somebody else would need for the same data.
    Floor(Floor),
    /// Another tool.
    Peer(Peer),
}

/// The measured commands of converge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Assess,
    Export,
    /// With one worker, as the drain has one connection.
    ExportAlone,
    Transform,
    Import,
    Verify,
    Migrate,
    /// Without what the other tools do not do.
    MigrateAlone,
    Rollback,
}

/// Other tools that move MySQL databases to PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// With its extensions for both servers.
    DuckDb,
    Pgloader,
}

/// What bounds the commands from below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floor {
    /// Reading all rows from the source and dropping them.
    Drain,
    /// Loading the ready files into tables without keys.
    Load,
}

/// The steps of a benchmark.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Once, before the first round.
    pub(crate) before: &'static [Verb],
    /// Again and again; it leaves what the next round begins with.
    pub(crate) round: &'static [Step],
}

use Floor::{Drain, Load};
use Step::Converge;
use Verb::{
    Assess, Export, ExportAlone, Import, Migrate, MigrateAlone, Rollback, Transform, Verify,
};

// A floor comes after a step that has left the manifests, which tell it tables and files.
const ALL: &[Step] = &[
    Converge(Assess),
    Converge(ExportAlone),
    Step::Floor(Drain),
    Converge(Export),
    Converge(Transform),
    Step::Floor(Load),
    Converge(Import),
    Converge(Verify),
    Converge(Rollback),
    Converge(Migrate),
    Converge(Rollback),
];

impl Plan {
    /// Beside other tools, which come behind a run that has left its manifests.
    pub(crate) fn with_peers() -> Self {
        Self {
            before: &[],
            round: &[
                Converge(Assess),
                Converge(MigrateAlone),
                Step::Floor(Drain),
                Converge(Verify),
                Converge(Rollback),
                Step::Peer(Peer::DuckDb),
                Step::Peer(Peer::Pgloader),
            ],
        }
    }

    /// For one stage, or for all of them.
    pub(crate) fn of(stage: Option<Stage>) -> Self {
        let (before, round): (&[Verb], &[Step]) = match stage {
            None => (&[], ALL),
            Some(Stage::Assess) => (&[Export], &[Converge(Assess), Step::Floor(Drain)]),
            Some(Stage::Export) => (
                &[],
                &[Converge(ExportAlone), Step::Floor(Drain), Converge(Export)],
            ),
            Some(Stage::Transform) => (&[Export], &[Converge(Transform)]),
            Some(Stage::Import) => (
                &[Export, Transform],
                &[Step::Floor(Load), Converge(Import), Converge(Rollback)],
            ),
            Some(Stage::Verify) => (
                &[Export, Transform, Import],
                &[Converge(Verify), Step::Floor(Drain)],
            ),
            Some(Stage::Migrate) => (
                &[],
                &[
                    Converge(Migrate),
                    Step::Floor(Drain),
                    Step::Floor(Load),
                    Converge(Rollback),
                ],
            ),
        };
        Self { before, round }
    }
}

impl Step {
    /// The name in the report; the two rollbacks of a round share theirs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Converge(ExportAlone) => "export, 1 job",
            Self::Converge(MigrateAlone) => "migrate, alone",
            Self::Converge(verb) => verb.name(),
            Self::Peer(peer) => peer.name(),
            Self::Floor(Drain) => "drain",
            Self::Floor(Load) => "load",
        }
    }

    /// The floors whose times add up to what this step cannot be expected to beat
    /// while it works on one table after the other.
    pub(crate) fn floors(self) -> &'static [Floor] {
        match self {
            Converge(Assess | Export | ExportAlone | Verify) => &[Drain],
            Converge(Import) => &[Load],
            Converge(Migrate) => &[Drain, Load],
            Converge(MigrateAlone | Transform | Rollback) | Self::Floor(_) | Self::Peer(_) => &[],
        }
    }
}

impl Verb {
    /// As it is typed after `converge`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Assess => "assess",
            Export | ExportAlone => "export",
            Transform => "transform",
            Import => "import",
            Verify => "verify",
            Migrate | MigrateAlone => "migrate",
            Rollback => "rollback",
        }
    }

    /// Options that make it what it is.
    pub(crate) fn options(self) -> &'static [&'static str] {
        match self {
            ExportAlone => &["--jobs", "1"],
            MigrateAlone => &["--skip-assess", "--no-verify"],
            _ => &[],
        }
    }

    /// Whether it begins a run, for which there must be none in the directory.
    pub(crate) fn begins_a_run(self) -> bool {
        matches!(self, Export | ExportAlone | Migrate | MigrateAlone)
    }
}

impl Peer {
    /// As it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "DuckDB",
            Self::Pgloader => "pgloader",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans() -> Vec<Plan> {
        let stages = Stage::value_variants().iter().copied().map(Some);
        let plans = stages.chain([None]).map(Plan::of);
        plans.chain([Plan::with_peers()]).collect()
    }

    /// Runs a round twice in thought: a load needs an empty target, a floor needs files.
    #[test]
    fn each_round_begins_where_the_one_before_ended() {
        for plan in plans() {
            let before = plan.before.iter().map(|verb| Converge(*verb));
            let twice = plan.round.iter().chain(plan.round).copied();
            let (mut exported, mut transformed, mut loaded) = (false, false, false);
            for step in before.chain(twice) {
                match step {
                    // Of rows that are there it would find that they are in the way.
                    Converge(Assess) => assert!(!loaded, "{plan:?}"),
                    Converge(Export | ExportAlone) => (exported, transformed) = (true, false),
                    Converge(Transform) => {
                        assert!(exported, "{plan:?}");
                        transformed = true;
                    }
                    Converge(Import) => {
                        assert!(transformed && !loaded, "{plan:?}");
                        loaded = true;
                    }
                    Converge(Migrate | MigrateAlone) => {
                        assert!(!loaded, "{plan:?}");
                        (exported, transformed, loaded) = (true, true, true);
                    }
                    Converge(Verify) => assert!(loaded, "{plan:?}"),
                    Converge(Rollback) => {
                        assert!(loaded, "{plan:?}");
                        loaded = false;
                    }
                    Step::Floor(Drain) => assert!(exported, "{plan:?}"),
                    Step::Floor(Load) => assert!(transformed, "{plan:?}"),
                    // The targets are made anew behind it.
                    Step::Peer(_) => assert!(transformed && !loaded, "{plan:?}"),
                }
            }
        }
    }

    #[test]
    fn a_step_is_measured_together_with_its_floors() {
        for plan in plans() {
            for step in plan.round {
                for floor in step.floors() {
                    assert!(plan.round.contains(&Step::Floor(*floor)), "{plan:?}");
                }
            }
        }
    }
}
