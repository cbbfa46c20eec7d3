//! Whether what is stored, shown and answered goes together.

use std::collections::BTreeMap;

use crate::{
    device::Device,
    findings::{Findings, Kind},
    ledger::{Deed, Effect, Ledger},
    wire::{Message, Request},
};

/// What each person's history with each other one holds.
pub(crate) type Views = BTreeMap<(String, String), Vec<Message>>;

/// Compares what devices show with the histories, and the histories of both sides.
/// `synced`: every device has read what it shows; else it was told.
pub(crate) fn differences(views: &Views, devices: &[Device], synced: bool) -> Findings {
    let how = if synced { "after sync" } else { "live" };
    let mut findings = Findings::default();
    for ((me, other), view) in views {
        if views.get(&(other.clone(), me.clone())) != Some(view) {
            findings
                .add(Kind::Differs, format!("the two sides of {me} and {other} read different histories"));
        }
        for device in devices.iter().filter(|device| device.user() == me) {
            let shown: BTreeMap<u64, &Message> =
                device.list().conversation(other).map(|message| (message.seq, message)).collect();
            for message in view {
                match shown.get(&message.seq) {
                    None => findings.add(
                        Kind::Lost,
                        format!("{how}: {} does not show {} (seq {})", device.name, message.id, message.seq),
                    ),
                    Some(seen) => {
                        // A delivery is told to the sender only; reading again shows it to the receiver as well.
                        let delivery = synced || message.sender_id == *me;
                        compare(device, seen, message, (how, delivery), &mut findings);
                    }
                }
            }
            if shown.len() > view.len() {
                findings.add(Kind::Differs, format!("{how}: {} shows more than is stored", device.name));
            }
        }
    }
    findings
}

fn compare(
    device: &Device,
    seen: &Message,
    stored: &Message,
    (how, delivery): (&str, bool),
    findings: &mut Findings,
) {
    let deleted = seen.deleted_at.is_some() == stored.deleted_at.is_some();
    let marks = |message: &Message| (message.is_read, delivery && message.delivered_at.is_some());
    let (kind, what) = if seen.id != stored.id || seen.client_id != stored.client_id {
        (Kind::Differs, "another message")
    } else if !deleted {
        (Kind::Resurrected, "another state of deletion")
    } else if seen.text != stored.text || seen.edited_at != stored.edited_at {
        (Kind::Differs, "another text")
    } else if marks(seen) != marks(stored) {
        (Kind::Backwards, "other receipts")
    } else {
        return;
    };
    let what = format!("{how}: {} shows {what} at {} (seq {})", device.name, stored.id, stored.seq);
    findings.add(kind, what);
}

/// Judges what is stored by what was asked and answered.
pub(crate) fn judge(ledger: &mut Ledger, views: &Views, floors: &BTreeMap<(String, String), u64>, tag: &str) {
    let deeds = ledger.deeds().to_vec();
    let mut findings = Findings::default();
    for ((me, other), view) in views {
        numbering(view, floors.get(&(me.clone(), other.clone())).copied().unwrap_or(0), &mut findings);
        for message in view.iter().filter(|message| message.sender_id == *me) {
            stored(message, view, &deeds, tag, &mut findings);
        }
        sends(me, other, view, &deeds, &mut findings);
    }
    for deed in &deeds {
        blocks(deed, &deeds, &mut findings);
        done_to_nothing(deed, &deeds, &mut findings);
    }
    ledger.findings.merge(findings);
}

fn numbering(view: &[Message], floor: u64, findings: &mut Findings) {
    for (message, expected) in view.iter().zip(floor + 1..) {
        if message.seq != expected {
            let what = format!("{} has seq {} where {expected} belongs", message.id, message.seq);
            findings.add(Kind::Reordered, what);
            return;
        }
    }
}

/// Of one person's sends to another: what was acknowledged is there once, in order.
fn sends(me: &str, other: &str, view: &[Message], deeds: &[Deed], findings: &mut Findings) {
    let mut places: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for message in view.iter().filter(|message| message.sender_id == me) {
        if let Some(name) = &message.client_id {
            places.entry(name).or_default().push(message.seq);
        }
    }
    for (name, seqs) in &places {
        if seqs.len() > 1 {
            findings.add(Kind::Doubled, format!("{name} is stored {} times", seqs.len()));
        }
    }
    // From first writing to acknowledgement; and whether the first copy was the one acknowledged.
    let mut spans: BTreeMap<&str, (u64, u64, Option<u64>)> = BTreeMap::new();
    for deed in deeds.iter().filter(|deed| deed.user == me) {
        let Request::Send { to, client_id, .. } = &deed.request else { continue };
        if to != other {
            continue;
        }
        let clean = deed.is_done().then_some(deed.socket);
        let span = spans.entry(client_id).or_insert((deed.from, u64::MAX, clean));
        if deed.is_done() {
            span.1 = span.1.min(deed.until.unwrap_or(u64::MAX));
            if !places.contains_key(client_id.as_str()) {
                findings.add(Kind::Lost, format!("{client_id} was acknowledged and is not stored"));
            }
        }
    }
    let placed: Vec<_> =
        spans.iter().filter_map(|(name, span)| Some((*name, *span, *places.get(name)?.first()?))).collect();
    for (first, a, before) in &placed {
        for (second, b, after) in &placed {
            let one_socket = a.2.is_some() && a.2 == b.2;
            let ordered = a.1 < b.0 || (one_socket && a.0 < b.0);
            if ordered && before > after {
                findings.add(Kind::Reordered, format!("{second} stands before {first}, which came first"));
            }
        }
    }
}

/// One stored message: somebody sent it, and its state is what was done to it.
fn stored(message: &Message, view: &[Message], deeds: &[Deed], tag: &str, findings: &mut Findings) {
    let Some(name) = message.client_id.as_deref().filter(|name| name.starts_with(tag)) else { return };
    let copies: Vec<_> = deeds
        .iter()
        .filter(|deed| {
            matches!(&deed.request, Request::Send { to, client_id, .. }
            if *client_id == name && *to == message.receiver_id && deed.user == message.sender_id)
        })
        .collect();
    if copies.iter().all(|deed| deed.end().is_none()) {
        findings.add(Kind::Answer, format!("{name} is stored, and every copy of it was refused"));
    }
    texts(message, copies.first().copied(), deeds, findings);
    receipts(message, view, deeds, findings);
}

fn texts(message: &Message, first: Option<&Deed>, deeds: &[Deed], findings: &mut Findings) {
    let of = |deed: &&Deed| {
        matches!(&deed.request,
            Request::Edit { message: id, .. } | Request::Delete { message: id } if *id == message.id)
    };
    let done: Vec<_> = deeds.iter().filter(of).collect();
    let deletes = || done.iter().filter(|deed| matches!(deed.request, Request::Delete { .. }));
    if deletes().any(|deed| deed.is_done()) && (message.deleted_at.is_none() || !message.text.is_empty()) {
        findings.add(Kind::Resurrected, format!("{} was deleted and is there", message.id));
    }
    if message.deleted_at.is_some() {
        if deletes().all(|deed| deed.end().is_none()) {
            findings.add(Kind::Lost, format!("{} is deleted, and nobody did it", message.id));
        }
        return;
    }
    let edits: Vec<_> = done.iter().filter(|deed| matches!(deed.request, Request::Edit { .. })).collect();
    // The last word: nothing acknowledged began after it was over.
    let last = |end: u64| !edits.iter().any(|edit| edit.is_done() && edit.from > end);
    let original = first
        .is_some_and(|deed| matches!(&deed.request, Request::Send { text, .. } if *text == message.text))
        && !edits.iter().any(|edit| edit.is_done());
    let edited = edits.iter().any(|edit| {
        matches!(&edit.request, Request::Edit { text, .. } if *text == message.text)
            && edit.end().is_some_and(last)
    });
    if !original && !edited {
        findings.add(Kind::Lost, format!("{} has another text than the last one given", message.id));
    }
    if message.edited_at.is_some() != edited {
        findings.add(Kind::Differs, format!("{} does not say rightly whether it was edited", message.id));
    }
}

/// A receipt is for its message and all before it that its giver got in the conversation, and for nothing else.
fn receipts(message: &Message, view: &[Message], deeds: &[Deed], findings: &mut Findings) {
    let (mut must, mut may) = ((false, false), (false, false));
    for deed in deeds.iter().filter(|deed| deed.user == message.receiver_id && deed.end().is_some()) {
        let Request::Receipt { message: up_to, read } = &deed.request else { continue };
        let covers = |other: &Message| other.id == *up_to && other.receiver_id == message.receiver_id;
        if !view.iter().any(|other| covers(other) && other.seq >= message.seq) {
            continue;
        }
        may = (true, may.1 || *read);
        if deed.is_done() {
            must = (true, must.1 || *read);
        }
    }
    let (delivered, read) = (message.delivered_at.is_some(), message.is_read);
    if (must.0 && !delivered) || (must.1 && !read) {
        let what = format!("a receipt that covers {} was acknowledged and is gone", message.id);
        findings.add(Kind::Backwards, what);
    }
    if (delivered && !may.0) || (read && !may.1) {
        findings.add(Kind::Backwards, format!("{} has a receipt that nobody gave", message.id));
    }
}

/// Sends and edits between people of whom one certainly blocks the other are refused; with no block, never.
fn blocks(deed: &Deed, deeds: &[Deed], findings: &mut Findings) {
    let Request::Send { to, client_id, .. } = &deed.request else { return };
    let Some(until) = deed.until else { return };
    let refused = deed.effect == Effect::Refused("forbidden".to_owned());
    let pairs = [(&deed.user, to), (to, &deed.user)];
    let certain = pairs.iter().any(|(by, of)| certainly_blocked(by, of, deed.from, until, deeds));
    // What an earlier copy may have stored is answered again, block or not.
    let repeated = deeds.iter().any(|copy| {
        copy.from < deed.from
            && copy.user == deed.user
            && copy.end().is_some()
            && matches!(&copy.request, Request::Send { to: receiver, client_id: name, .. }
                if receiver == to && name == client_id)
    });
    if certain && deed.is_done() && !repeated {
        findings.add(Kind::Unblocked, format!("{client_id} was taken in spite of a block"));
    }
    let possible = pairs.iter().any(|(by, of)| {
        changes(by, of, deeds).any(|(change, on)| on && change.from < until && change.end().is_some())
    });
    if refused && !possible {
        findings.add(Kind::Answer, format!("{client_id} was refused for a block that nobody made"));
    }
}

fn changes<'a>(by: &'a str, of: &'a str, deeds: &'a [Deed]) -> impl Iterator<Item = (&'a Deed, bool)> {
    deeds.iter().filter(move |deed| deed.user == by).filter_map(move |deed| {
        let Request::Block { user, on } = &deed.request else { return None };
        (user == of).then_some((deed, *on))
    })
}

fn certainly_blocked(by: &str, of: &str, from: u64, until: u64, deeds: &[Deed]) -> bool {
    changes(by, of, deeds).filter(|(change, on)| *on && change.is_done()).any(|(on, _)| {
        on.until.is_some_and(|done| done < from)
            && !changes(by, of, deeds)
                .any(|(off, is_on)| !is_on && off.from < until && off.end().is_some_and(|end| end > on.from))
    })
}

/// A name for another text is a conflict, an edit of what is deleted finds nothing, and neither does anything else.
fn done_to_nothing(deed: &Deed, deeds: &[Deed], findings: &mut Findings) {
    match (&deed.request, &deed.effect) {
        (Request::Edit { message, .. }, Effect::Done(_)) => {
            let gone = deeds.iter().any(|other| {
                matches!(&other.request, Request::Delete { message: id } if id == message)
                    && other.is_done()
                    && other.until.is_some_and(|done| done < deed.from)
            });
            if gone {
                findings.add(Kind::Resurrected, format!("{message} was edited after its deletion"));
            }
        }
        (Request::Delete { message } | Request::Receipt { message, .. }, Effect::Refused(code))
            if code == "not_found" =>
        {
            findings.add(Kind::Lost, format!("{} of {message} found nothing", deed.request.event()));
        }
        _ => {}
    }
}
