//! One-dimensional arrays of text (PostgreSQL, `array_recv`).

use catalog::PostgresType;

use super::Unreadable;

/// OIDs of the element types that are sent as text (PostgreSQL, `pg_type.dat`).
const TEXT: u32 = 25;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;

/// The OID of an element type; `None` where it is none of the server's own text types.
pub(super) fn text_oid(element: &PostgresType) -> Option<u32> {
    match element {
        PostgresType::Text => Some(TEXT),
        PostgresType::Varchar { .. } => Some(VARCHAR),
        PostgresType::Char { .. } => Some(BPCHAR),
        _ => None,
    }
}

/// Appends an array that is spelled `{a,"b c",""}`, with no element NULL.
pub(super) fn encode(element: u32, text: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let inner = text
        .strip_prefix(b"{")
        .and_then(|text| text.strip_suffix(b"}"));
    let mut rest = inner.ok_or(Unreadable)?;
    let header = out.len();
    let dimensions = i32::from(!rest.is_empty());
    out.extend(dimensions.to_be_bytes());
    // No NULL among the elements.
    out.extend(0_i32.to_be_bytes());
    out.extend(element.to_be_bytes());
    if rest.is_empty() {
        return Ok(());
    }
    // Number of elements, lower bound.
    out.extend([0, 0, 0, 0, 0, 0, 0, 1]);
    let mut count: i32 = 0;
    loop {
        let start = out.len();
        out.extend([0; 4]);
        rest = match rest.strip_prefix(b"\"") {
            Some(quoted) => unquote(quoted, out)?,
            None => plain(rest, out)?,
        };
        let length = i32::try_from(out.len() - start - 4).map_err(|_| Unreadable)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        count = count.checked_add(1).ok_or(Unreadable)?;
        match rest {
            [] => break,
            [b',', more @ ..] => rest = more,
            _ => return Err(Unreadable),
        }
    }
    out[header + 12..header + 16].copy_from_slice(&count.to_be_bytes());
    Ok(())
}

/// Appends what stands up to the closing quote; returns what is behind it.
fn unquote<'t>(mut text: &'t [u8], out: &mut Vec<u8>) -> Result<&'t [u8], Unreadable> {
    loop {
        match text {
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', escaped, rest @ ..] => {
                out.push(*escaped);
                text = rest;
            }
            [byte, rest @ ..] => {
                out.push(*byte);
                text = rest;
            }
            [] => return Err(Unreadable),
        }
    }
}

/// Appends an element without quotes; returns what is behind it.
fn plain<'t>(text: &'t [u8], out: &mut Vec<u8>) -> Result<&'t [u8], Unreadable> {
    let end = text
        .iter()
        .position(|byte| *byte == b',')
        .unwrap_or(text.len());
    let (element, rest) = text.split_at(end);
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b' ' | b'\t'..=b'\r');
    if element.is_empty() || element.eq_ignore_ascii_case(b"null") || element.iter().any(special) {
        return Err(Unreadable);
    }
    out.extend_from_slice(element);
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Result<Vec<Vec<u8>>, Unreadable> {
        let mut out = Vec::new();
        encode(TEXT, text.as_bytes(), &mut out)?;
        assert_eq!(out[4..12], [0, 0, 0, 0, 0, 0, 0, 25]);
        let Some(mut rest) = out.get(20..) else {
            assert_eq!(out[..4], [0; 4]);
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        while let Some((length, behind)) = rest.split_first_chunk() {
            let (element, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
            found.push(element.to_vec());
            rest = behind;
        }
        let count = u32::from_be_bytes(out[12..16].try_into().unwrap());
        assert_eq!(
            (out[..4].to_vec(), count as usize),
            (vec![0, 0, 0, 1], found.len())
        );
        Ok(found)
    }

    #[test]
    fn elements_are_unquoted() {
        assert_eq!(elements("{}"), Ok(vec![]));
        let quoted = r#"{a,"b c","","null","\"\\",{}"#;
        assert_eq!(elements(quoted), Err(Unreadable), "a brace within");
        let quoted = r#"{a,"b, c","","null","\"\\","{}"}"#;
        let expected = ["a", "b, c", "", "null", "\"\\", "{}"].map(|e| e.as_bytes().to_vec());
        assert_eq!(elements(quoted), Ok(expected.to_vec()));
        for text in [
            "", "{", "{a", "{a,}", "{NULL}", "{a b}", "{\"a}", "{\"a\"b}", "{{a}}",
        ] {
            assert_eq!(elements(text), Err(Unreadable), "{text}");
        }
    }
}
