//! Who blocks whom, in memory.

use async_trait::async_trait;
use chat_ports::{
    BlockChange, BlockError, Blocks, StoreError,
    model::{Block, UserId},
};

use super::MemoryStore;

#[async_trait]
impl Blocks for MemoryStore {
    async fn change(&self, change: BlockChange) -> Result<bool, BlockError> {
        let BlockChange { blocker, blocked, blocks, at, most } = change;
        let mut state = self.state()?;
        let pair = (blocker, blocked);
        if !blocks {
            return Ok(state.blocks.remove(&pair).is_some());
        }
        if state.blocks.contains_key(&pair) {
            return Ok(false);
        }
        let standing = state.blocks.keys().filter(|(by, _)| *by == blocker).count();
        if standing >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(BlockError::TooMany);
        }
        state.blocks.insert(pair, at);
        Ok(true)
    }

    async fn blocked_by(&self, blocker: UserId) -> Result<Vec<Block>, StoreError> {
        let state = self.state()?;
        let blocks = state.blocks.iter().filter(|((by, _), _)| *by == blocker);
        Ok(blocks.map(|((blocker, blocked), since)| block(*blocker, *blocked, *since)).collect())
    }

    async fn between(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<Block>, StoreError> {
        let state = self.state()?;
        let pairs = others.into_iter().flat_map(|other| [(user, other), (other, user)]);
        Ok(pairs.filter_map(|pair| Some(block(pair.0, pair.1, *state.blocks.get(&pair)?))).collect())
    }
}

pub(super) const fn block(blocker: UserId, blocked: UserId, since: chat_ports::model::Timestamp) -> Block {
    Block { blocker, blocked, since }
}
