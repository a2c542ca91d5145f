// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

/// @title The latest checkpoints of transparency logs, where nobody can take one back
/// @notice One account writes; everybody reads. A log that has shown this chain a checkpoint and
///         shows somebody else another history can be convicted by either of them.
/// @dev Proofs are checked off the chain, by whoever writes and by whoever verifies: the contract
///      only keeps the order. Nothing in it is payable, and nothing can be upgraded.
contract CheckpointAnchor {
    struct Checkpoint {
        uint64 size;
        uint64 blockNumber;
        bytes32 root;
    }

    /// The account that may write. Whoever loses its key deploys another contract.
    address public immutable owner;

    mapping(bytes32 originHash => Checkpoint) private checkpoints;

    /// @param originHash SHA-256 of the log's origin, the first line of its checkpoints
    /// @param size how many entries the log has
    /// @param root RFC 6962 tree hash of these entries
    /// @param previousBlock the block of the log's last checkpoint before this one, 0 if it is the
    ///        first: with it the history is found block by block, without searching the chain
    event Anchored(bytes32 indexed originHash, uint64 size, bytes32 root, uint64 previousBlock);

    /// Somebody else's contract.
    error NotOwner(address owner);
    /// A log only grows: `anchored` is its size here.
    error NotGrown(uint64 anchored);

    constructor() {
        owner = msg.sender;
    }

    /// @notice Writes a checkpoint. The log must have grown since its last one.
    function anchor(bytes32 originHash, uint64 size, bytes32 root) external {
        if (msg.sender != owner) revert NotOwner(owner);
        Checkpoint storage last = checkpoints[originHash];
        if (size <= last.size) revert NotGrown(last.size);
        emit Anchored(originHash, size, root, last.blockNumber);
        last.size = size;
        last.blockNumber = uint64(block.number);
        last.root = root;
    }

    /// @notice The last checkpoint of a log and the block that holds it; zeros if there is none.
    function latest(bytes32 originHash)
        external
        view
        returns (uint64 size, bytes32 root, uint64 blockNumber)
    {
        Checkpoint storage last = checkpoints[originHash];
        return (last.size, last.root, last.blockNumber);
    }
}
