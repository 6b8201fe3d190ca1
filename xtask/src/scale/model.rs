//! The arithmetic of a town of rooms: what everybody hears, what the nodes tell each other, what
//! is written. Knows numbers only; `crates/testkit/tests/it/scale.rs` compiles this same file and
//! holds it against what real servers count.

/// Channels that logs are spread over, as in `crates/bus`.
pub(crate) const CHANNELS: usize = 1024;

/// What one node does; per second, when what is said is given per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Node {
    /// Events written to connections.
    pub(crate) deliveries: f64,
    /// Messages stored for people who are connected here.
    pub(crate) stored: f64,
    /// Events told to the other nodes.
    pub(crate) told: f64,
    /// Events heard from the other nodes.
    pub(crate) heard: f64,
}

/// Rooms, and the nodes that their members are connected to.
pub(crate) struct Town {
    nodes: Vec<Node>,
    channels: Vec<Channel>,
}

#[derive(Clone)]
struct Channel {
    /// What was said on it, by node.
    said: Vec<f64>,
    /// Which nodes hear it.
    followed: Vec<bool>,
}

impl Town {
    /// One without rooms.
    pub(crate) fn new(nodes: usize) -> Self {
        let channel = Channel { said: vec![0.0; nodes], followed: vec![false; nodes] };
        Self { nodes: vec![Node::default(); nodes], channels: vec![channel; CHANNELS] }
    }

    /// A node hears a channel because somebody is connected to it whose own log is there.
    pub(crate) fn follow(&mut self, channel: usize, node: usize) {
        self.channels[channel].followed[node] = true;
    }

    /// A room: its channel, how many of its members are connected to each node, and how much is
    /// said in it by way of each node.
    pub(crate) fn room(&mut self, channel: usize, members: &[u32], said: &[f64]) {
        let all: f64 = said.iter().sum();
        let channel = &mut self.channels[channel];
        for (n, node) in self.nodes.iter_mut().enumerate() {
            node.deliveries += f64::from(members[n]) * all;
            node.stored += said[n];
            node.told += said[n];
            channel.said[n] += said[n];
            channel.followed[n] |= members[n] > 0;
        }
    }

    /// What each node does: it hears all that others say on the channels that it follows.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let heard = |n: usize| {
            let followed = self.channels.iter().filter(|channel| channel.followed[n]);
            followed.map(|it| it.said.iter().sum::<f64>() - it.said[n]).sum()
        };
        let nodes = self.nodes.iter().enumerate();
        nodes.map(|(n, node)| Node { heard: heard(n), ..*node }).collect()
    }
}

/// The channel of a session or a user, by the bytes of its id: the hash that the nodes agree on.
#[cfg_attr(not(test), expect(dead_code, reason = "a million rooms are hashed by chance"))]
pub(crate) fn channel_of(id: [u8; 16]) -> usize {
    let hash = id.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (((hash >> 32) ^ hash) % CHANNELS as u64) as usize
}

/// Numbers by chance, the same ones for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, and without, `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// The size of a room. Zipf's law: half of all rooms have more than twice the least, a tenth
    /// more than ten times that, a thousandth a thousand times. Groups that people join the more
    /// readily the more are in them come out like this; measured ones have a tail that is as heavy,
    /// or less so.
    pub(crate) fn size(&mut self, least: usize, most: usize) -> usize {
        // Of 53 bits, none of them zero.
        let share = ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        ((least as f64 / share) as usize).clamp(least, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_in_a_room_hears_everything_and_nodes_hear_only_others() {
        let mut town = Town::new(3);
        town.room(1, &[2, 1, 0], &[3.0, 4.0, 0.0]);
        town.room(2, &[0, 0, 5], &[0.0, 0.0, 1.0]);
        let node = |deliveries, stored, heard| Node { deliveries, stored, told: stored, heard };
        let alone = [node(14.0, 3.0, 4.0), node(7.0, 4.0, 3.0), node(5.0, 1.0, 0.0)];
        assert_eq!(town.nodes(), alone);
        // Somebody's own log makes a node hear what others' rooms say on the same channel.
        town.follow(1, 2);
        assert_eq!(town.nodes()[2], node(5.0, 1.0, 7.0));
    }

    #[test]
    fn sizes_follow_the_law_and_keep_to_their_bounds() {
        let mut dice = Dice::new(1);
        let sizes: Vec<_> = (0..100_000).map(|_| dice.size(2, 5_000)).collect();
        let share = |least: usize| sizes.iter().filter(|size| **size >= least).count() as f64 / 1e5;
        assert!(sizes.iter().all(|size| (2..=5_000).contains(size)));
        for least in [4, 20, 200] {
            let wanted = 2.0 / least as f64;
            assert!((share(least) / wanted - 1.0).abs() < 0.1, "{least}: {}", share(least));
        }
    }

    #[test]
    fn channels_are_used_alike() {
        let mut counts = vec![0_u32; CHANNELS];
        for id in 0..65_536_u128 {
            counts[channel_of(id.to_be_bytes())] += 1;
        }
        assert!(counts.iter().all(|count| (16..=256).contains(count)));
    }
}
