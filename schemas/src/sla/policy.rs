//! Which policy speaks for an order, and what makes one a policy.

use super::Policy;
use crate::{order::OrderFacts, time::MINUTE};

/// The longest target, in minutes: a year without a break.
pub const TARGET_MINUTES_MAX: i64 = 366 * 24 * 60;

/// Why a policy is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    #[error("the policy has no targets: name at least one, such as metric respond within 240 minutes")]
    NoTargets,
    #[error("the policy has two targets for {0}")]
    Twice(&'static str),
    #[error("the target for {metric}: {minutes} minutes is not between 1 and {TARGET_MINUTES_MAX}")]
    Minutes { metric: &'static str, minutes: i64 },
    #[error("the target for {metric}: cannot warn at {percent} %, only at 1 to 99 %")]
    Warning { metric: &'static str, percent: u8 },
}

impl Policy {
    /// Says what is wrong with it, precisely enough to put it right.
    pub fn check(&self) -> Result<(), PolicyFault> {
        if self.targets.is_empty() {
            return Err(PolicyFault::NoTargets);
        }
        for (index, target) in self.targets.iter().enumerate() {
            let metric = target.metric.name();
            if self.targets[..index].iter().any(|earlier| earlier.metric == target.metric) {
                return Err(PolicyFault::Twice(metric));
            }
            if !(1..=TARGET_MINUTES_MAX).contains(&target.minutes) {
                return Err(PolicyFault::Minutes { metric, minutes: target.minutes });
            }
            if let Some(percent) = target.warn_percent.iter().find(|percent| !(1..=99).contains(*percent)) {
                return Err(PolicyFault::Warning { metric, percent: *percent });
            }
        }
        Ok(())
    }

    /// Whether each of its lists is empty or names the order's value.
    pub fn covers(&self, facts: &OrderFacts) -> bool {
        fn names<T: PartialEq>(list: &[T], value: &T) -> bool {
            list.is_empty() || list.contains(value)
        }
        names(&self.order_types, &facts.order_type) && names(&self.priorities, &facts.priority) && names(&self.sites, &facts.site)
    }
}

impl super::Target {
    /// Business time allowed, in microseconds.
    pub const fn micros(&self) -> i64 {
        self.minutes.saturating_mul(MINUTE)
    }
}

/// The policy that speaks for an order: of each policy the greatest version that was valid at the order's onset, of those that
/// cover the order the one with the lowest rank (and of equal ranks the smallest id). `policies` may hold several versions of one.
pub fn policy_for<'a>(facts: &OrderFacts, policies: impl IntoIterator<Item = &'a Policy>) -> Option<&'a Policy> {
    let mut valid: Vec<&Policy> = Vec::new();
    for policy in policies.into_iter().filter(|policy| policy.valid_from <= facts.onset) {
        match valid.iter_mut().find(|known| known.id == policy.id) {
            Some(known) if known.version >= policy.version => {}
            Some(known) => *known = policy,
            None => valid.push(policy),
        }
    }
    valid.into_iter().filter(|policy| policy.covers(facts)).min_by_key(|policy| (policy.rank, policy.id))
}
