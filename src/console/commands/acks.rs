//! Answers of this node's commands by person and id, for a while: a repeat gets the very same answer, with a secret that is
//! told once in it. What is done is known to the journal for 48 hours; this is only the wording. What a command has looked up
//! is kept nowhere: asked again, it is looked up again.
use super::Answer;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tongdao_domain::id::{CommandId, UserId};
use tongdao_protocol::console::codes::Code;

type Key = (UserId, CommandId);

/// The answers; clones are the same.
#[derive(Clone)]
pub struct Acks {
    kept: Arc<Mutex<Kept>>,
    kept_max: usize,
}

#[derive(Default)]
struct Kept {
    by_id: HashMap<Key, (String, Option<Answer>)>,
    order: VecDeque<Key>,
}

/// What is known of an id.
pub enum Begun {
    /// It had this answer.
    Known(Answer),
    /// It is under way.
    Running,
    /// It stands for something else.
    Reused,
    /// Nothing: go on.
    Fresh(Running),
}

/// An id under way; dropped without an end, it is forgotten.
pub struct Running {
    acks: Acks,
    key: Option<Key>,
}

impl Acks {
    /// None yet; so many are kept at most.
    #[must_use]
    pub fn new(kept_max: usize) -> Self {
        Self { kept: Arc::default(), kept_max }
    }

    /// Looks an id up, and takes it where nothing is known of it.
    #[must_use]
    pub fn begin(&self, user: &UserId, id: &CommandId, digest: &str) -> Begun {
        let key = (user.clone(), id.clone());
        let mut kept = self.lock();
        match kept.by_id.get(&key) {
            Some((other, _)) if other != digest => Begun::Reused,
            Some((_, Some(answer))) => Begun::Known(answer.clone()),
            Some((_, None)) => Begun::Running,
            None => {
                kept.by_id.insert(key.clone(), (digest.to_owned(), None));
                Begun::Fresh(Running { acks: self.clone(), key: Some(key) })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// This is the answer. What is none is not kept: too busy, too late, or the id stands for what was asked before a restart.
    pub fn end(mut self, answer: &Answer) {
        if matches!(answer, Err(error) if error.retry || matches!(error.code, Code::Expired | Code::KeyReused)) {
            return;
        }
        let Some(key) = self.key.take() else { return };
        let mut kept = self.acks.lock();
        if let Some((_, slot)) = kept.by_id.get_mut(&key) {
            *slot = Some(answer.clone());
        }
        kept.order.push_back(key);
        if kept.order.len() > self.acks.kept_max
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.by_id.remove(&oldest);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.acks.lock().by_id.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Done;
    use super::*;
    use serde_json::json;

    fn ids(user: &str, id: &str) -> Key {
        (UserId::new(user).expect("an id"), CommandId::new(id).expect("an id"))
    }
    fn begin(acks: &Acks, (user, id): &Key, digest: &str) -> Begun {
        acks.begin(user, id, digest)
    }

    #[test]
    fn a_repeat_gets_the_very_same_answer_and_another_meaning_is_reuse() {
        let (acks, key) = (Acks::new(100), ids("li", "c/1"));
        let Begun::Fresh(running) = begin(&acks, &key, "d") else { panic!("fresh") };
        assert!(matches!(begin(&acks, &key, "d"), Begun::Running));
        let answer = Ok(Done { result: json!({"secret": "s"}), ch: None, seq: None });
        running.end(&answer);
        assert!(matches!(begin(&acks, &key, "d"), Begun::Known(known) if known == answer));
        assert!(matches!(begin(&acks, &key, "e"), Begun::Reused));
        assert!(matches!(begin(&acks, &ids("wang", "c/1"), "d"), Begun::Fresh(_)), "a secret is told to nobody else");
    }

    #[test]
    fn what_was_given_up_or_too_busy_may_be_tried_again() {
        let (acks, key) = (Acks::new(100), ids("li", "c/1"));
        drop(begin(&acks, &key, "d"));
        let Begun::Fresh(running) = begin(&acks, &key, "d") else { panic!("forgotten") };
        running.end(&Err(Code::Busy.into()));
        for none in [Code::Expired, Code::KeyReused] {
            let Begun::Fresh(running) = begin(&acks, &key, "d") else { panic!("forgotten") };
            running.end(&Err(none.into()));
        }
        assert!(matches!(begin(&acks, &key, "another meaning"), Begun::Fresh(_)));
    }

    #[test]
    fn answers_are_bounded() {
        let acks = Acks::new(100);
        for n in 0..=100 {
            let Begun::Fresh(running) = begin(&acks, &ids("li", &format!("c/{n}")), "d") else { panic!("fresh") };
            running.end(&Err(Code::WrongState.into()));
        }
        assert_eq!(acks.lock().by_id.len(), 100);
        assert!(matches!(begin(&acks, &ids("li", "c/0"), "d"), Begun::Fresh(_)));
    }
}
