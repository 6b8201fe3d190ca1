//! The program from its beginning to its end: signing in and talking, again and again, until the
//! user leaves or it is told to end.

use std::time::Duration;

use parlor_sdk::clock;
use rustix::fs::Mode;
use rustix::process::umask;

use crate::args::Args;
use crate::home::Home;
use crate::run::{Ended, RunError, run};
use crate::start::{self, Given};
use crate::terminal::{Events, Taken};

/// How long what goes on may still take when it is time to end.
const GRACE: Duration = Duration::from_secs(2);

/// Talks until it is time to end.
///
/// # Errors
/// [`RunError`].
pub async fn talk(args: Args) -> Result<(), RunError> {
    let (home, mut given) = args.split()?;
    // What is kept is for its owner, whatever the folder is to others.
    umask(Mode::RWXG | Mode::RWXO);
    let mut events = Events::listen()?;
    let ending = events.ending();
    let overdue = async {
        ending.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let mut terminal = Taken::take()?;
    tokio::select! {
        done = talk_on(&home, &mut given, &mut terminal, &mut events) => done,
        () = overdue => Ok(()),
    }
}

/// Signs in and talks, again and again.
async fn talk_on(
    home: &Home,
    given: &mut Given,
    terminal: &mut Taken,
    events: &mut Events,
) -> Result<(), RunError> {
    let mut client = start::client(home, given, terminal, events).await?;
    while let Some(signed_in) = client {
        let ended = run(&signed_in, clock::machine(), &mut terminal.screen, events).await;
        signed_in.stop().await;
        drop(signed_in);
        client = match ended? {
            Ended::Quit => return Ok(()),
            Ended::SignedOut => start::again(home, given, terminal, events).await?,
            Ended::Forget => {
                home.forget()?;
                return Ok(());
            }
        };
    }
    Ok(())
}
