//! Drawing: what [`App`] says, on whatever room there is.

mod form;
mod over;
mod timeline;
mod when;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};
use unicode_width::UnicodeWidthStr as _;

use crate::app::{App, Link, Mode};
use crate::clean::{clean, clean_line};
use crate::input::Input;
use parlor_sdk::Ending;

pub use form::form;

/// Below this many columns only one pane is shown.
const WIDE: u16 = 80;

/// Columns of the list of sessions.
const LIST: u16 = 26;

/// Lines of what is being written that are shown.
const WRITTEN_MAX: u16 = 6;

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, app: &App) {
    let area = frame.area();
    let rows = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).split(area);
    let in_list = matches!(app.mode, Mode::Places(_));
    let main = match (area.width >= WIDE, in_list) {
        (true, _) => {
            let panes =
                Layout::horizontal([Constraint::Length(LIST), Constraint::Min(20)]).split(rows[0]);
            places(frame, app, panes[0]);
            Some(panes[1])
        }
        (false, true) => {
            places(frame, app, rows[0]);
            None
        }
        (false, false) => Some(rows[0]),
    };
    if let Some(main) = main {
        talk(frame, app, main);
    }
    frame.render_widget(status(app), rows[1]);
    over::draw(frame, app);
}

/// The shown session: what it is, what was said in it, what is being written.
fn talk(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let (written, _) = written(app);
    let lines = timeline::broken(&written, usize::from(area.width).max(1)).len();
    let lines = u16::try_from(lines).unwrap_or(u16::MAX).clamp(1, WRITTEN_MAX) + 1;
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(lines.min(area.height.saturating_sub(1))),
    ])
    .split(area);
    frame.render_widget(heading(app), parts[0]);
    timeline::draw(frame, app, parts[1]);
    composer(frame, app, parts[2]);
}

fn places(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let at = match app.mode {
        Mode::Places(at) => at,
        _ => app.shown,
    };
    let focused = matches!(app.mode, Mode::Places(_));
    let lines: Vec<Line<'_>> = app
        .places
        .iter()
        .enumerate()
        .map(|(index, place)| {
            let mark = if index == app.shown { ">" } else { " " };
            let lock = if place.encrypted { "*" } else { " " };
            let name = match &place.session {
                Some(session) => format!("  {}", clean_line(session)),
                None => clean_line(&place.room),
            };
            let unread = match (place.unread, place.mentions) {
                (0, _) => String::new(),
                (unread, 0) => format!(" ({unread})"),
                (unread, _) => format!(" (@{unread})"),
            };
            let over = if place.ended { " (over)" } else { "" };
            let style = match (focused && index == at, index == app.shown, place.unread > 0) {
                (true, ..) | (_, true, _) => Style::new().add_modifier(Modifier::REVERSED),
                (_, _, true) => Style::new().add_modifier(Modifier::BOLD),
                _ => Style::new(),
            };
            let style = if focused && index == app.shown && index != at {
                Style::new().add_modifier(Modifier::BOLD)
            } else {
                style
            };
            Line::styled(format!("{mark}{lock}{name}{unread}{over}"), style)
        })
        .collect();
    let block = Block::new().borders(Borders::RIGHT);
    let below = at.saturating_sub(usize::from(area.height).saturating_sub(1));
    let scroll = (u16::try_from(below).unwrap_or(u16::MAX), 0);
    frame.render_widget(Paragraph::new(lines).block(block).scroll(scroll), area);
}

/// What is shown, and how it is protected: nothing else stands in this line, so that nobody's name
/// or text can look like it.
fn heading(app: &App) -> Line<'static> {
    let Some(place) = app.place() else {
        return Line::from("no room yet: Ctrl P, or :room NAME");
    };
    let shield = app.shield();
    let thread = if app.thread.is_some() { " > thread" } else { "" };
    let own = app.timers.get(&place.session_id);
    let own = own.map(|life_ms| i64::try_from(*life_ms / 1_000).unwrap_or(i64::MAX));
    let timer = match (own, place.message_ttl_s) {
        (Some(own), ttl) if ttl.is_none_or(|ttl| own < ttl) => {
            Some(format!(", what you write decays after {}", when::span(own)))
        }
        (_, ttl) => ttl.map(|ttl| format!(", messages decay after {}", when::span(ttl))),
    };
    let end = match &place.end {
        _ if place.ended => None,
        Some(Ending::At { at, .. }) => {
            when::until(at, app.now).map(|left| format!(", ends {left}"))
        }
        Some(Ending::Silence(seconds)) => {
            Some(format!(", ends after {} of silence", when::span(*seconds)))
        }
        None => None,
    };
    let protected = [timer, end].into_iter().flatten().collect::<String>();
    let words = clean_line(&shield.words());
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let style = if shield.warns() { bold.add_modifier(Modifier::REVERSED) } else { bold };
    let text = format!("[{words}{protected}] {}{thread}", clean_line(&place.name()));
    Line::styled(text, style)
}

/// What is being written, wherever that is, and what of it stands before the cursor.
fn written(app: &App) -> (String, String) {
    let after = |sign: &str, input: &Input| {
        (format!("{sign}{}", input.text()), format!("{sign}{}", input.before()))
    };
    match &app.mode {
        Mode::Command(line) => after(":", line),
        Mode::Search(words) => after("/", words),
        Mode::Secret(key) => {
            let hidden = |text: &str| "*".repeat(text.chars().count());
            (hidden(&key.text()), hidden(&key.before()))
        }
        _ => after("", &app.composer),
    }
}

fn composer(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let title = match (&app.mode, &app.reply_to, &app.rewords, &app.thread) {
        (Mode::Command(_), ..) => " command ",
        (Mode::Search(_), ..) => " search here ",
        (Mode::Secret(_), ..) => " your recovery key ",
        (_, _, Some(_), _) => " reword ",
        (_, Some(_), ..) => " answer ",
        (Mode::Insert, .., Some(_)) => " write in the thread ",
        (Mode::Insert, ..) => " write ",
        _ => " i to write, F1 for help ",
    };
    let (text, before) = written(app);
    let width = usize::from(area.width).max(1);
    let block = Block::new().borders(Borders::TOP).title(title);
    let before = timeline::broken(&clean(&before), width);
    let rows = before.len().saturating_sub(1);
    let shown = usize::from(area.height).saturating_sub(1);
    let hidden = (rows + 1).saturating_sub(shown.max(1));
    if matches!(app.mode, Mode::Insert | Mode::Command(_) | Mode::Search(_) | Mode::Secret(_))
        && area.height > 0
    {
        let column = before.last().map_or(0, |line| line.width()).min(width - 1);
        let row = (rows - hidden.min(rows) + 1).min(usize::from(area.height) - 1);
        let small = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        frame.set_cursor_position((area.x + small(column), area.y + small(row)));
    }
    let lines = timeline::broken(&clean(&text), width);
    let lines: Vec<Line<'_>> = lines.into_iter().skip(hidden).map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines).block(block).wrap(Wrap { trim: false }), area);
}

fn status(app: &App) -> Line<'static> {
    let link = match app.link {
        Link::Connecting => "connecting",
        Link::Online => "online",
        Link::Reconnecting => "reconnecting",
    };
    let mut parts = vec![link.to_owned()];
    if let Mode::Confirm(question) = &app.mode {
        parts = vec![format!("{} y/n", clean_line(&question.text))];
    }
    parts.extend(app.notice.as_deref().map(clean_line));
    if app.waiting > 0 {
        parts.push(format!("{} not sent yet", app.waiting));
    }
    let unread: i64 = app.places.iter().map(|place| place.unread).sum();
    if unread > 0 {
        parts.push(format!("{unread} unread"));
    }
    if !app.typing.is_empty() {
        let names: Vec<_> = app.typing.iter().map(|id| clean_line(app.name(id))).collect();
        parts.push(format!("{} writing", names.join(", ")));
    }
    if app.behind {
        parts.push("G for the newest".to_owned());
    }
    if app.standing.is_some_and(|standing| !standing.device_signed) {
        parts.push("this device is not verified: :verify or :recover".to_owned());
    }
    Line::styled(parts.join(" | "), Style::new().add_modifier(Modifier::REVERSED))
}
