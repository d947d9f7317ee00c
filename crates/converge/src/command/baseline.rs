//! `baseline`: the target's schema, made from the source's or brought by others.

mod apply;
mod check;
mod generate;
mod owner;
mod scripts;

pub(crate) use owner::{bookkeeping_table, check_owner};

use crate::args::{BaselineAction, BaselineArgs};
use crate::interrupt::Interrupt;

pub(crate) fn run(args: &BaselineArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    match &args.action {
        BaselineAction::Generate(args) => generate::run(args, interrupt),
        BaselineAction::Apply { common, from } => apply::run(common, from.as_deref(), interrupt),
        BaselineAction::Check(args) => check::run(args, interrupt),
    }
}
