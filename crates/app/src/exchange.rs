//! What was used up of rates, told between nodes: each counts the tries of all, a moment late.
//! No try waits for another node; what two nodes let through at the same moment is made up for
//! by who comes next.

use std::sync::Arc;
use std::time::Duration;

use parlor_bus::Word;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::App;

/// How often.
const TICK: Duration = Duration::from_millis(100);

/// Keys in one word.
const KEYS_MAX: usize = 4_096;

/// Tells until stopped.
pub async fn exchange(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let spent = app.rates.take_spent();
        // Alone, there is nobody to tell.
        if !app.hub.nodes().is_empty() {
            spent.chunks(KEYS_MAX).for_each(|some| app.bus.say(Word::Spent(some.to_vec())));
        }
    }
}
