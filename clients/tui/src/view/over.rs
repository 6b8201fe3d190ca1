//! What stands over the rest: the palette, lists, help, and a verification.

use parlor_sdk::Stage;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use crate::app::{App, Mode, Panel, Verifying};
use crate::clean::clean_line;
use crate::keys::HELP;

/// Columns of a box.
const WIDTH: u16 = 76;

pub(super) fn draw(frame: &mut Frame<'_>, app: &App) {
    match &app.mode {
        Mode::Palette(letters, at) => {
            let title = format!("> {}", letters.text());
            let rows = app.choices(&letters.text());
            let rows = rows.iter().map(|row| row.text.as_str());
            list(frame, " go to ", Some(title), rows, *at);
        }
        Mode::Panel(Panel { title, rows, at }) => {
            let title = format!(" {} ", clean_line(title));
            list(frame, &title, None, rows.iter().map(|row| row.text.as_str()), *at);
        }
        Mode::Help(from) => help(frame, *from),
        _ => {}
    }
    if let Some(verifying) = app.verifying.as_ref().filter(|verifying| verifying.open) {
        verification(frame, app, verifying);
    }
}

/// Rows of which one is chosen and always seen.
fn list<'a>(
    frame: &mut Frame<'_>,
    title: &str,
    first: Option<String>,
    rows: impl Iterator<Item = &'a str>,
    at: usize,
) {
    let chosen = Style::new().add_modifier(Modifier::REVERSED);
    let rows = rows.enumerate().map(|(row, text)| {
        let text = format!("  {}", clean_line(text));
        if row == at { Line::styled(text, chosen) } else { Line::from(text) }
    });
    let above = usize::from(first.is_some());
    let lines = first.map(Line::from).into_iter().chain(rows).collect();
    boxed(frame, title, lines, at + above);
}

fn help(frame: &mut Frame<'_>, from: usize) {
    let lines = HELP.iter().map(|(keys, what)| Line::from(format!("{keys:<27} {what}")));
    // The last line is seen when one goes down as far as that.
    let seen = from.saturating_add(usize::from(frame.area().height).saturating_sub(3));
    boxed(frame, " keys ", lines.collect(), if from == 0 { 0 } else { seen });
}

fn verification(frame: &mut Frame<'_>, app: &App, verifying: &Verifying) {
    let own = verifying.user_id == app.me;
    let whom = if own { "your other device" } else { app.name(&verifying.user_id) };
    let whom = clean_line(whom);
    let mut lines = match &verifying.stage {
        Stage::Asked => {
            vec![format!("{whom} asks to verify."), String::new(), "y go on   n not now".to_owned()]
        }
        Stage::Waiting => {
            vec![format!("waiting for {whom}"), String::new(), "Esc calls it off".to_owned()]
        }
        Stage::Ready => vec![
            format!("Compare seven words with {whom}, or pass a code instead:"),
            "one device shows it, the other takes it.".to_owned(),
            String::new(),
            "e compare   c show a code   : type the other's   Esc calls it off".to_owned(),
        ],
        Stage::Showing(code) => return shown_code(frame, &whom, code),
        Stage::Taken => vec![
            "The code was taken. Does the other device say that it worked?".to_owned(),
            String::new(),
            "y it does   n it does not".to_owned(),
        ],
        Stage::Matched => vec![
            format!("It worked: say so at the other device. Waiting for {whom}"),
            String::new(),
            "Esc calls it off".to_owned(),
        ],
        Stage::Compare(emoji) => {
            let mut lines =
                vec![format!("Does {whom} see the same, in this order?"), String::new()];
            lines.extend(emoji.iter().map(|(_, word)| format!("    {word}")));
            let keys = "y they are the same   n they differ   c use a code instead";
            lines.extend([String::new(), keys.to_owned()]);
            lines
        }
        Stage::Confirmed => vec![
            format!("You said yes; waiting for {whom}"),
            String::new(),
            "Esc calls it off".to_owned(),
        ],
        Stage::Done => vec![format!("{whom} is verified."), String::new(), "any key".to_owned()],
        Stage::Cancelled { reason, by_us } => {
            let who = if *by_us { "It was called off here" } else { "It was called off" };
            vec![
                format!("{who}: {}", clean_line(reason)),
                "Nobody is verified.".to_owned(),
                "any key".to_owned(),
            ]
        }
    };
    lines.insert(0, String::new());
    boxed(frame, " verify ", lines.into_iter().map(Line::from).collect(), 0);
}

/// A code from one edge to the other, with nothing beside it: so it can be marked and copied.
fn shown_code(frame: &mut Frame<'_>, whom: &str, code: &str) {
    let groups: Vec<&str> = code.split(' ').collect();
    // A group is four letters and a blank.
    let in_row = (usize::from(frame.area().width) / 5).max(1);
    let rows = groups.chunks(in_row).map(|row| row.join(" "));
    let above = [
        String::new(),
        format!("A code for {whom}. Type or paste it there: `:` and the code."),
        "Do not send it through Parlor: whoever has it can pretend to be that device.".to_owned(),
        String::new(),
    ];
    let below =
        [String::new(), "e compare instead   : type the other's   Esc calls it off".to_owned()];
    let lines = above.into_iter().chain(rows).chain(below).map(Line::from).collect();
    let block = Block::new().borders(Borders::TOP | Borders::BOTTOM).title(" verify ");
    over(frame, block, u16::MAX, lines, 0);
}

/// A box over everything else, in which this line is seen.
fn boxed(frame: &mut Frame<'_>, title: &str, lines: Vec<Line<'_>>, seen: usize) {
    over(frame, Block::new().borders(Borders::ALL).title(title), WIDTH, lines, seen);
}

/// Lines over everything else, of which this one is seen, at most so many columns wide.
fn over(frame: &mut Frame<'_>, block: Block<'_>, columns: u16, lines: Vec<Line<'_>>, seen: usize) {
    let area = frame.area();
    let width = area.width.min(columns);
    let height = area.height.min(u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2));
    let place = Rect { x: (area.width - width) / 2, y: (area.height - height) / 3, width, height };
    let room = usize::from(height).saturating_sub(2);
    let hidden = (seen + 1).saturating_sub(room).min(lines.len().saturating_sub(room));
    let scroll = (u16::try_from(hidden).unwrap_or(u16::MAX), 0);
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(block).scroll(scroll), place);
}
