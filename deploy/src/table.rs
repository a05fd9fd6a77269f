//! Columns of text for people.

/// Columns as wide as their widest cell; numbers to the right.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).chain([head[column].len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for row in std::iter::once(head.iter().map(|&cell| cell.to_owned()).collect()).chain(rows.iter().cloned()) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            if cell.bytes().all(|byte| byte.is_ascii_digit()) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let rows = [vec!["main".to_owned(), "7".to_owned()], vec!["b".to_owned(), "1234567".to_owned()]];
        assert_eq!(table(&["JOB", "TICK"], rows.into_iter()), "JOB   TICK\nmain        7\nb     1234567\n");
    }
}
