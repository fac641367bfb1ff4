//! Where the time of a read goes, stream by stream.
//!
//! What streams share (tokens, budgets, the network) does not know for which of them it works. So
//! work for a stream is done within [`Account::around`], and what is spent within it is booked
//! there. A stopwatch is only looked at where accounts are kept ([`Ledger::keep`]).

use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::waiting::Wait;

tokio::task_local! {
    static HELD: Held;
}

/// For which stream a task works.
#[derive(Clone)]
struct Held {
    account: Arc<Account>,
    /// Whether the time of this task counts: not beside a task that waits for it.
    is_timed: bool,
}

/// What the time of a stream goes into; what is left of it is its own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// No byte of an answer has come yet.
    Server,
    /// The rest of an answer is on its way.
    Body,
    /// A wait of our own.
    Waiting(Wait),
    /// Nobody takes what is to be printed.
    Output,
}

impl Spent {
    const N: usize = 6;

    fn idx(self) -> usize {
        match self {
            Self::Server => 0,
            Self::Body => 1,
            Self::Waiting(Wait::BackOff) => 2,
            Self::Waiting(Wait::Budget) => 3,
            Self::Waiting(Wait::Job) => 4,
            Self::Output => 5,
        }
    }
}

/// The accounts of one run.
#[derive(Debug, Default)]
pub struct Ledger {
    is_kept: AtomicBool,
    accounts: Mutex<Vec<Arc<Account>>>,
}

impl Ledger {
    /// Measures times from now on, for the accounts that are opened.
    pub fn keep(&self) {
        self.is_kept.store(true, Relaxed);
    }

    /// The account of `stream`, which is about to be read.
    pub fn open(&self, stream: &str) -> Arc<Account> {
        let is_timed = self.is_kept.load(Relaxed);
        let account = Arc::new(Account { is_timed, ..Account::new(stream) });
        if is_timed {
            // A panic while the lock is held cannot leave the list in a bad state.
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.push(Arc::clone(&account));
        }
        account
    }

    /// What all accounts have come to, in the order in which they were opened.
    pub fn totals(&self) -> Vec<Totals> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.iter().map(|account| account.totals()).collect()
    }
}

/// What is spent on one stream.
#[derive(Debug)]
pub struct Account {
    stream: String,
    is_timed: bool,
    /// Nanoseconds of all that was done for the stream, and those of it that were [`Spent`].
    total: AtomicU64,
    spent: [AtomicU64; Spent::N],
    n_requests: AtomicU64,
    n_retries: AtomicU64,
    n_records: AtomicU64,
    n_bytes: AtomicU64,
}

/// What an account has come to; times of slices that were read side by side add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The name of the stream.
    pub stream: String,
    /// All the time that something was done or waited for.
    pub total: Duration,
    spent: [Duration; Spent::N],
    /// Requests that were sent.
    pub n_requests: u64,
    /// Those of them that were sent again.
    pub n_retries: u64,
    /// Records that were printed.
    pub n_records: u64,
    /// Bytes of bodies as they were received.
    pub n_bytes: u64,
}

impl Totals {
    /// The time that went into `what`.
    pub fn spent(&self, what: Spent) -> Duration {
        self.spent[what.idx()]
    }

    /// The time that nothing was waited for.
    pub fn working(&self) -> Duration {
        self.total.saturating_sub(self.spent.iter().sum())
    }

    /// Adds those of another stream.
    pub fn add(&mut self, other: &Self) {
        self.total += other.total;
        for (sum, spent) in self.spent.iter_mut().zip(other.spent) {
            *sum += spent;
        }
        self.n_requests += other.n_requests;
        self.n_retries += other.n_retries;
        self.n_records += other.n_records;
        self.n_bytes += other.n_bytes;
    }
}

impl Account {
    fn new(stream: &str) -> Self {
        Self {
            stream: stream.to_owned(),
            is_timed: false,
            total: AtomicU64::new(0),
            spent: Default::default(),
            n_requests: AtomicU64::new(0),
            n_retries: AtomicU64::new(0),
            n_records: AtomicU64::new(0),
            n_bytes: AtomicU64::new(0),
        }
    }

    /// Does work for the stream.
    pub fn around<W: Future>(self: &Arc<Self>, work: W) -> impl Future<Output = W::Output> {
        let account = Arc::clone(self);
        let held = Held { account: Arc::clone(self), is_timed: self.is_timed };
        HELD.scope(held, async move {
            let begun = account.is_timed.then(Instant::now);
            let outcome = work.await;
            if let Some(begun) = begun {
                account.total.fetch_add(nanos(begun.elapsed()), Relaxed);
            }
            outcome
        })
    }

    /// Records were printed.
    pub fn count_records(&self, n_records: u64) {
        self.n_records.fetch_add(n_records, Relaxed);
    }

    fn book(&self, what: Spent, time: Duration) {
        self.spent[what.idx()].fetch_add(nanos(time), Relaxed);
    }

    fn totals(&self) -> Totals {
        let time = |nanos: &AtomicU64| Duration::from_nanos(nanos.load(Relaxed));
        Totals {
            stream: self.stream.clone(),
            total: time(&self.total),
            spent: self.spent.each_ref().map(time),
            n_requests: self.n_requests.load(Relaxed),
            n_retries: self.n_retries.load(Relaxed),
            n_records: self.n_records.load(Relaxed),
            n_bytes: self.n_bytes.load(Relaxed),
        }
    }
}

/// Does what takes time of the stream that this task works for.
pub async fn spend<W: Future>(what: Spent, work: W) -> W::Output {
    let Some(account) = timed() else { return work.await };
    let begun = Instant::now();
    let outcome = work.await;
    account.book(what, begun.elapsed());
    outcome
}

/// As [`spend`] with a wait by the run's own clock, which may not take its time.
pub(super) async fn spend_waiting(wait: Wait, time: Duration, work: impl Future<Output = ()>) {
    let Some(account) = timed() else { return work.await };
    let begun = Instant::now();
    work.await;
    let took = begun.elapsed();
    account.book(Spent::Waiting(wait), took.max(time));
    account.total.fetch_add(nanos(time.saturating_sub(took)), Relaxed);
}

/// The same work for another task, which this one waits for: only what it asks is counted there.
pub fn beside<W: Future>(work: W) -> impl Future<Output = W::Output> {
    let held = HELD.try_with(|held| Held { is_timed: false, ..held.clone() }).ok();
    async {
        match held {
            Some(held) => HELD.scope(held, work).await,
            None => work.await,
        }
    }
}

/// The stream that this task works for.
pub fn stream() -> Option<String> {
    HELD.try_with(|held| held.account.stream.clone()).ok()
}

/// A request is sent.
pub fn count_request() {
    count(|account| &account.n_requests, 1);
}

/// A request is about to be sent again.
pub fn count_retry() {
    count(|account| &account.n_retries, 1);
}

/// Bytes of a body were received.
pub fn count_bytes(n_bytes: u64) {
    count(|account| &account.n_bytes, n_bytes);
}

fn count(counter: impl Fn(&Account) -> &AtomicU64, n: u64) {
    // What is done for no stream is counted nowhere.
    let _ = HELD.try_with(|held| counter(&held.account).fetch_add(n, Relaxed));
}

fn timed() -> Option<Arc<Account>> {
    HELD.try_with(|held| held.is_timed.then(|| Arc::clone(&held.account))).ok().flatten()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_spent_around_a_stream_is_booked_there() {
        let ledger = Ledger::default();
        ledger.keep();
        let [users, orders] = ["users", "orders"].map(|stream| ledger.open(stream));
        let minute = Duration::from_mins(1);
        users
            .around(async {
                count_request();
                count_bytes(10);
                spend_waiting(Wait::Budget, minute, async {}).await;
                orders.around(async { count_retry() }).await;
                spend(Spent::Server, async { assert_eq!(stream().unwrap(), "users") }).await;
            })
            .await;
        count_request();
        let [users, orders] = ledger.totals().try_into().unwrap();
        assert_eq!((users.n_requests, users.n_bytes, users.n_retries), (1, 10, 0));
        assert_eq!((orders.n_requests, orders.n_retries), (0, 1));
        assert_eq!(users.spent(Spent::Waiting(Wait::Budget)), minute);
        assert!(users.total > minute && users.working() < minute);
        assert_eq!(orders.spent(Spent::Waiting(Wait::Budget)), Duration::ZERO);
    }

    #[tokio::test]
    async fn what_is_done_beside_is_counted_and_takes_no_time() {
        let ledger = Ledger::default();
        ledger.keep();
        let users = ledger.open("users");
        users
            .around(async {
                tokio::spawn(beside(async {
                    count_request();
                    spend_waiting(Wait::BackOff, Duration::from_mins(1), async {}).await;
                }))
                .await
                .unwrap();
            })
            .await;
        let totals = users.totals();
        assert_eq!(
            (totals.n_requests, totals.spent(Spent::Waiting(Wait::BackOff))),
            (1, Duration::ZERO)
        );
    }

    #[tokio::test]
    async fn no_times_are_measured_where_no_accounts_are_kept() {
        let ledger = Ledger::default();
        let users = ledger.open("users");
        users.around(spend(Spent::Server, tokio::task::yield_now())).await;
        assert_eq!(users.totals().total, Duration::ZERO);
        assert!(ledger.totals().is_empty());
    }
}
