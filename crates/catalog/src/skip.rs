//! What serde is told to leave out of a catalogue's JSON: whatever is as usual.

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
pub(crate) fn is_true(value: &bool) -> bool {
    *value
}

/// The value of a field that was left out because it was true.
pub(crate) fn yes() -> bool {
    true
}
