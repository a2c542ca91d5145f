use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One step of a [`ClaimsPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// The member with this name.
    Key(String),
    /// The element at this place, from 0.
    Index(u64),
    /// Every element: `null`.
    Every,
}

/// A claims path pointer: OID4VP section 7, OID4VCI appendix C. Not empty, at most
/// [`ClaimsPath::MAX_STEPS`] steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<Step>", into = "Vec<Step>")]
pub struct ClaimsPath(Vec<Step>);

impl ClaimsPath {
    /// Deeper claims than this are not asked for.
    pub const MAX_STEPS: usize = 32;

    /// A path of names only.
    ///
    /// # Panics
    /// If there are none, or more than [`Self::MAX_STEPS`]; paths in code are constants.
    pub fn of_keys<const N: usize>(keys: [&str; N]) -> Self {
        Self::try_from(keys.map(|key| Step::Key(key.to_owned())).to_vec())
            .expect("a path has one to 32 steps")
    }

    /// From the outermost in.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// What it points to in `credential`: one claim or several. `None` where the credential has no
    /// such claim, or another shape than the path expects.
    pub fn select<'a>(&self, credential: &'a Value) -> Option<Vec<&'a Value>> {
        let mut selected = vec![credential];
        for step in &self.0 {
            let mut next = Vec::new();
            for value in selected {
                match step {
                    Step::Key(key) => next.extend(value.as_object()?.get(key)),
                    Step::Index(index) => {
                        let index = usize::try_from(*index).ok()?;
                        next.extend(value.as_array()?.get(index));
                    }
                    Step::Every => next.extend(value.as_array()?),
                }
            }
            selected = next;
        }
        (!selected.is_empty()).then_some(selected)
    }

    /// Whether this path leads to `other`'s claim or to something around it.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len()
            && self.0.iter().zip(&other.0).all(|(mine, theirs)| {
                mine == theirs || (*mine == Step::Every && matches!(theirs, Step::Index(_)))
            })
    }
}

impl TryFrom<Vec<Step>> for ClaimsPath {
    type Error = &'static str;

    fn try_from(steps: Vec<Step>) -> Result<Self, Self::Error> {
        if steps.is_empty() || steps.len() > Self::MAX_STEPS {
            return Err("a claims path has one to 32 steps");
        }
        Ok(Self(steps))
    }
}

impl From<ClaimsPath> for Vec<Step> {
    fn from(path: ClaimsPath) -> Self {
        path.0
    }
}
