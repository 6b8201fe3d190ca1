//! The form, in the middle of an empty screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr as _;

use crate::clean::clean_line;
use crate::form::Form;

/// Columns of the form.
const WIDTH: u16 = 74;

/// Columns of what is asked.
const LABEL: usize = 12;

/// Draws a form.
pub fn form(frame: &mut Frame<'_>, form: &Form) {
    let mut lines =
        vec![Line::from(format!("Parlor: {}", clean_line(&form.title))), Line::default()];
    lines.extend(form.about.iter().map(|line| Line::from(clean_line(line))));
    let first = lines.len();
    for (at, (wanted, input)) in form.fields.iter().enumerate() {
        let mark = if at == form.at { ">" } else { " " };
        let shown = if wanted.is_secret() { "*".repeat(input.len()) } else { input.text() };
        lines.push(Line::from(format!("{mark} {:<LABEL$}{}", wanted.label(), clean_line(&shown))));
    }
    lines.extend([Line::default(), Line::from(clean_line(&form.notice))]);
    lines.push(Line::from("Enter goes on, Tab and arrows move, Esc leaves"));
    let area = frame.area();
    let width = area.width.min(WIDTH);
    let height = area.height.min(u16::try_from(lines.len()).unwrap_or(u16::MAX));
    let place = Rect { x: (area.width - width) / 2, y: (area.height - height) / 3, width, height };
    // On a small screen the field that is written in is seen.
    let row = first + form.at;
    let hidden = (row + 1).saturating_sub(usize::from(height));
    let scroll = (u16::try_from(hidden).unwrap_or(u16::MAX), 0);
    frame.render_widget(Paragraph::new(lines).scroll(scroll), place);
    let (wanted, input) = &form.fields[form.at];
    let before = input.before();
    let before = if wanted.is_secret() { before.chars().count() } else { before.width() };
    let column = u16::try_from(2 + LABEL + before).unwrap_or(u16::MAX);
    let row = u16::try_from(row - hidden).unwrap_or(u16::MAX);
    if height > 0 && width > 0 {
        frame.set_cursor_position((place.x + column.min(width - 1), place.y + row));
    }
}
