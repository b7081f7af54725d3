//! What becomes of acknowledged events where a listener, the server or the line between them breaks in the middle.

use crate::cluster::Cluster;
use crate::engines::{deliver_on, nothing_is_lost};
use crate::env::{Env, eventually};
use crate::shop::{SECRET, completed, deliver, listen_with};
use crate::wire::{Commit, Wire};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn env() -> Env {
    Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET)
}

/// Delivers numbered events as a sender does: what is put off is sent again, to the next listener where one is gone.
fn send(ports: &[u16], range: std::ops::Range<usize>, sent: &AtomicUsize) -> Vec<String> {
    let mut taken = Vec::new();
    for n in range {
        let id = format!("evt_{n}");
        let body = completed(&id, &format!("cs_{n}"), 500);
        let mut ports = ports.iter().cycle().skip(n % ports.len());
        eventually("the event is taken", || match deliver(*ports.next().unwrap(), &body) {
            Ok(reply) if reply.status == 200 => Some(()),
            Ok(reply) => {
                assert_eq!((reply.status, reply.header("retry-after").is_some()), (503, true));
                None
            }
            // It was killed.
            Err(_) => None,
        });
        taken.push(id);
        sent.fetch_add(1, Ordering::SeqCst);
    }
    taken
}

/// Has four senders deliver 160 events while something happens, after every 40 that were taken.
pub(crate) fn under_load(ports: &[u16], mut happens: impl FnMut(usize)) -> Vec<String> {
    let sent = AtomicUsize::new(0);
    thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|nth| {
                let sent = &sent;
                scope.spawn(move || send(ports, nth * 40..(nth + 1) * 40, sent))
            })
            .collect();
        for nth in 0..3 {
            eventually("the load is under way", || {
                (sent.load(Ordering::SeqCst) > nth * 40 + 10).then_some(())
            });
            happens(nth);
        }
        senders.into_iter().flat_map(|it| it.join().unwrap()).collect()
    })
}

fn count(cluster: &Cluster) -> String {
    cluster.sql("SELECT count(*) FROM stripegym.events")
}

#[test]
fn connections_that_are_cut_under_load_lose_and_double_nothing() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let (env, wire) = (env(), Wire::to(&cluster));
    let _sandbox = env.sandbox(&[]);
    let (_listener, port) = listen_with(&env, &["--ledger", &wire.url()]);
    let mut cut = 0;
    let taken = under_load(&[port], |_| cut += wire.cut());
    assert!(cut >= 3, "{cut}");
    nothing_is_lost(&env, &cluster, &cluster.url(), &taken);
    assert_eq!(count(&cluster), "160");
}

#[test]
fn a_commit_is_there_once_whether_it_or_its_answer_was_lost() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let (env, wire) = (env(), Wire::to(&cluster));
    let _sandbox = env.sandbox(&[]);
    let (_listener, port) = listen_with(&env, &["--ledger", &wire.url()]);
    let mut taken = Vec::new();
    for (n, commit) in
        [Commit::Unanswered, Commit::Kept, Commit::Unanswered].into_iter().enumerate()
    {
        wire.next(commit);
        // The listener finds out by itself, and whoever sends it once more hears the same.
        for _ in 0..2 {
            let (more, refused) = deliver_on(port, n..n + 1);
            assert_eq!((more.len(), refused), (1, vec![]), "{commit:?}");
            taken.extend(more);
        }
        assert_eq!((wire.met(), count(&cluster)), (n + 1, (n + 1).to_string()), "{commit:?}");
    }
    assert_eq!(cluster.sql("SELECT count(*) FROM stripegym.ledger"), "3");
    nothing_is_lost(&env, &cluster, &cluster.url(), &taken);
}

#[test]
fn a_listener_killed_in_the_middle_of_a_batch_leaves_it_to_the_other() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let (env, wire) = (env(), Wire::to(&cluster));
    let _sandbox = env.sandbox(&[]);
    let (mut one, first) = listen_with(&env, &["--ledger", &wire.url()]);
    let (_other, second) = listen_with(&env, &["--ledger", &cluster.url()]);
    assert_eq!(deliver_on(first, 1_000..1_002).0.len(), 2);
    // Its batch is written and not committed, and keeps the others from theirs.
    wire.next(Commit::Held);
    thread::scope(|scope| {
        let body = completed("evt_half", "cs_half", 500);
        let half = scope.spawn(move || deliver(first, &body).map(|it| it.status));
        eventually("it is in the middle of a batch", || (wire.met() == 1).then_some(()));
        assert_eq!(count(&cluster), "2");
        one.kill();
        assert!(!half.join().unwrap().is_ok_and(|status| status == 200), "it is in no ledger");
    });
    let mut taken = send(&[second], 2_000..2_003, &AtomicUsize::new(0));
    assert_eq!(count(&cluster), "5");
    // And under load, at no chosen moment.
    let (mut one, first) = listen_with(&env, &["--ledger", &cluster.url()]);
    taken.extend(under_load(&[first, second], |nth| {
        if nth == 1 {
            one.kill();
        }
    }));
    nothing_is_lost(&env, &cluster, &cluster.url(), &taken);
    assert_eq!(count(&cluster), "165");
}

#[test]
fn a_server_that_is_restarted_under_load_loses_nothing() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let env = env();
    let _sandbox = env.sandbox(&[]);
    let url = cluster.url();
    let (_listener, port) = listen_with(&env, &["--ledger", &url]);
    let taken = under_load(&[port], |_| {
        cluster.kill();
        cluster.up();
    });
    nothing_is_lost(&env, &cluster, &url, &taken);
    assert_eq!(count(&cluster), "160");
}

#[test]
fn what_only_the_primary_has_is_not_acknowledged_however_often_it_is_sent() {
    let Some(primary) = Cluster::start(&[]) else { return };
    let standby = primary.standby();
    let env = env();
    let _sandbox = env.sandbox(&[]);
    let url = primary.url();
    let (_listener, port) = listen_with(&env, &["--ledger", &url]);
    assert_eq!(deliver_on(port, 0..2).0.len(), 2);
    standby.kill();
    assert_eq!(deliver_on(port, 2..3).1, [(503, true)]);
    // Started again, the primary shows what it has written: nobody else has it.
    primary.kill();
    primary.up();
    assert_eq!(primary.sql("SELECT count(*) FROM stripegym.events WHERE id = 'evt_2'"), "1");
    assert_eq!(deliver_on(port, 2..3).1, [(503, true)]);
    standby.up();
    let mut taken = Vec::new();
    eventually("both have it", || {
        taken.extend(deliver_on(port, 2..3).0);
        (!taken.is_empty()).then_some(())
    });
    assert_eq!(standby.sql("SELECT count(*) FROM stripegym.events WHERE id = 'evt_2'"), "1");
    nothing_is_lost(&env, &primary, &url, &taken);
    assert_eq!(count(&primary), "3");
}
