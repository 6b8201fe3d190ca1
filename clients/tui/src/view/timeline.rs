//! The messages: the newest at the bottom, or the chosen one in the middle.

use parlor_sdk::{Message, Secrecy};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Paragraph;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::when;
use crate::app::App;
use crate::clean::{clean, clean_line};
use crate::shield::sign;

/// Columns that a name may take.
const NAME_MAX: usize = 24;

/// Signs of the message that is answered that are shown with the answer.
const ANSWERED_MAX: usize = 40;

pub(super) fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let visible = app.visible();
    let height = usize::from(area.height);
    let chosen = app.chosen.as_ref();
    let chosen = chosen.and_then(|id| visible.iter().position(|message| message.id == *id));
    // Below what is chosen the lower half is for what comes after it.
    let after = chosen.map_or(visible.len(), |chosen| chosen + 1);
    let mut below = Vec::new();
    for index in after..visible.len() {
        if below.len() >= height / 2 {
            break;
        }
        below.extend(lines(app, &visible, index, area.width, false));
    }
    below.truncate(height / 2);
    let mut above: Vec<Line<'static>> = Vec::new();
    for index in (0..after).rev() {
        if above.len() + below.len() >= height {
            break;
        }
        let mut these = lines(app, &visible, index, area.width, Some(index) == chosen);
        these.append(&mut above);
        above = these;
    }
    above.append(&mut below);
    // Of a message that is longer than the screen, its end is seen.
    let over = above.len().saturating_sub(height);
    let shown = above.split_off(over);
    // What is less than a screen stands at its bottom.
    let blank = u16::try_from(height - shown.len()).unwrap_or(0);
    let at = Rect { y: area.y + blank, height: area.height - blank, ..area };
    frame.render_widget(Paragraph::new(Text::from(shown)), at);
}

/// A message, with the line before it where what is unread begins.
fn lines(
    app: &App,
    visible: &[&Message],
    index: usize,
    width: u16,
    chosen: bool,
) -> Vec<Line<'static>> {
    let message = visible[index];
    let before = index.checked_sub(1).map_or(0, |index| visible[index].number);
    let begins = app.unread_after.is_some_and(|read| before <= read && read < message.number);
    let mut lines = Vec::new();
    if begins {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        lines.push(Line::styled(format!("{:-<1$}", "-- new ", usize::from(width)), bold));
    }
    lines.extend(message_lines(app, message, width, chosen));
    lines
}

/// A message, broken into lines of this width.
fn message_lines(app: &App, message: &Message, width: u16, chosen: bool) -> Vec<Line<'static>> {
    let time = when::clock(&message.sent_at, app.zone.as_ref());
    let name = shortened(&clean_line(app.name(&message.sender_id)), NAME_MAX);
    let head = format!("{time} {name}: ");
    let edited = if message.edited_at.is_some() { " (reworded)" } else { "" };
    let encrypted = app.place().is_some_and(|place| place.encrypted);
    let sign = sign(message, encrypted);
    let text = format!("{sign}{}{}{edited}", answered(app, message), body(message));
    let style = if chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
    let indent = head.width().min(usize::from(width) / 2);
    let room = usize::from(width).saturating_sub(indent).max(1);
    let mut lines = Vec::new();
    let bold = Style::new().add_modifier(Modifier::BOLD);
    for (number, line) in broken(&text, room).into_iter().enumerate() {
        let before = if number == 0 { head.clone() } else { " ".repeat(indent) };
        lines.push(Line::from(vec![Span::styled(before, bold), Span::styled(line, style)]));
    }
    for line in broken(&about(app, message, chosen), room) {
        if !line.is_empty() {
            lines.push(Line::from(format!("{}{line}", " ".repeat(indent))));
        }
    }
    lines
}

/// The beginning of what is answered.
fn answered(app: &App, message: &Message) -> String {
    let Some(id) = &message.reply_to else { return String::new() };
    let known = app.messages.iter().find(|known| known.id == *id);
    let said = known.map(|known| (app.name(&known.sender_id), body(known)));
    let (who, said) = said.unwrap_or(("somebody", "something earlier".to_owned()));
    let said = shortened(&clean_line(&said), ANSWERED_MAX);
    format!("(to {}: {said}) ", clean_line(who))
}

fn body(message: &Message) -> String {
    if message.deleted_at.is_some() {
        return "(deleted)".to_owned();
    }
    match &message.secrecy {
        Secrecy::Locked { reason, .. } => clean_line(reason),
        _ => clean(&message.body),
    }
}

/// Reactions, files, the thread, how long it is still there and, of the chosen one, how it came.
fn about(app: &App, message: &Message, chosen: bool) -> String {
    let reactions = message.reactions.iter();
    let reactions = reactions.map(|said| format!("{} {}", clean_line(&said.emoji), said.count));
    let files = message.files.iter().map(|file| format!("[file {}]", clean_line(&file.name)));
    let mut parts: Vec<String> = reactions.chain(files).collect();
    let said_in = |known: &&Message| known.thread_id.as_ref() == Some(&message.id);
    let replies = app.messages.iter().filter(said_in).count();
    if replies > 0 && app.thread.is_none() {
        parts.push(format!("[{replies} in the thread]"));
    }
    parts.extend(message.expires_at.as_ref().and_then(|until| when::left(until, app.now)));
    if let Secrecy::Opened { verdict } = &message.secrecy
        && (chosen || verdict.warns())
    {
        parts.push(format!("({})", verdict.words()));
    }
    parts.join("  ")
}

fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    for sign in text.chars() {
        if short.width() + sign.width().unwrap_or(0) >= columns {
            break;
        }
        short.push(sign);
    }
    short + "…"
}

/// A text in lines of at most this width, broken at blanks where there are any.
pub(super) fn broken(text: &str, room: usize) -> Vec<String> {
    text.split('\n').flat_map(|line| broken_line(line, room)).collect()
}

fn broken_line(line: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        if used > 0 && used + word.trim_end().width() > room {
            pieces.push(String::new());
            used = 0;
        }
        for sign in word.chars() {
            let wide = sign.width().unwrap_or(0);
            if used + wide > room && sign != ' ' {
                pieces.push(String::new());
                used = 0;
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push(sign);
            }
            used += wide;
        }
    }
    pieces
}
