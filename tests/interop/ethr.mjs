// An Ethereum chain of one's own (anvil) with the ERC-1056 registry (ethr-did-registry), DIDs in
// every state that the registry knows, and what ethr-did-resolver makes of them:
//
//   node ethr.mjs        prints {rpc, registry, chain, cases: [{name, did, result}]}
//
// The chain runs until standard input ends.

import { setTimeout } from 'node:timers/promises';
import { ContractFactory, encodeBytes32String, HDNodeWallet, JsonRpcProvider, toUtf8Bytes, ZeroAddress } from 'ethers';
import registryPackage from 'ethr-did-registry';
import { getResolver } from 'ethr-did-resolver';
import { CHAIN, PHRASE, startAnvil } from './lib/anvil.mjs';
import { resolver } from './lib/dids.mjs';
import { newKey } from './lib/keys.mjs';
import { program } from './lib/program.mjs';

const DAY = 86_400;

await program(async () => {
    const { anvil, rpc } = await startAnvil();
    process.stdin.on('end', () => anvil.kill()).resume();
    const provider = new JsonRpcProvider(rpc, CHAIN, { staticNetwork: true, cacheTimeout: -1 });
    provider.pollingInterval = 20;
    const registry = await deploy(provider);
    const cases = await makeCases(provider, registry);
    const address = await registry.getAddress();
    const using = resolver(getResolver({ networks: [{ rpcUrl: rpc, registry: address, chainId: CHAIN }] }));
    // What was revoked is valid until the end of that second.
    await setTimeout(2000);
    for (const entry of cases) entry.result = await using.resolve(entry.did);
    provider.destroy();
    return { rpc, registry: address, chain: CHAIN, cases };
});

async function deploy(provider) {
    const { abi, bytecode } = registryPackage.EthereumDIDRegistry;
    const factory = new ContractFactory(abi, bytecode, await provider.getSigner(0));
    return (await factory.deploy()).waitForDeployment();
}

/** DIDs and what was done to each, one account for each; ten accounts exist. */
async function makeCases(provider, registry) {
    const account = (index) => HDNodeWallet.fromPhrase(PHRASE, undefined, `m/44'/60'/0'/0/${index}`);
    const by = async (index) => registry.connect(await provider.getSigner(index));
    const done = async (transaction) => (await transaction).wait();
    const did = (id, query = '') => `did:ethr:0x${CHAIN.toString(16)}:${id}${query}`;
    const address = (index) => account(index).address;
    const other = (index) => HDNodeWallet.fromPhrase(PHRASE, undefined, `m/44'/60'/1'/0/${index}`).address;
    const cases = [
        { name: 'untouched address', did: did(address(1)) },
        { name: 'untouched key', did: did(account(2).publicKey) },
    ];

    const delegates = await by(3);
    await done(delegates.addDelegate(address(3), name('veriKey'), other(0), DAY));
    const { blockNumber } = await done(delegates.addDelegate(address(3), name('sigAuth'), other(1), DAY));
    await done(delegates.addDelegate(address(3), name('veriKey'), other(2), DAY));
    await done(delegates.revokeDelegate(address(3), name('veriKey'), other(0)));
    await done(delegates.addDelegate(address(3), name('sigAuth'), other(3), 0));
    cases.push({ name: 'delegates', did: did(address(3)) });
    cases.push({ name: 'delegates at a version', did: did(address(3), `?versionId=${blockNumber}`) });

    const attributes = await by(4);
    const key = Buffer.from((await newKey('EdDSA')).x, 'base64url');
    const hub = toUtf8Bytes('https://hub.example');
    const set = (contract, index, key, value) => done(contract.setAttribute(address(index), name(key), value, DAY));
    await set(attributes, 4, 'did/pub/Ed25519/veriKey/base58', key);
    await set(attributes, 4, 'did/pub/Ed25519/sigAuth/hex', key);
    await set(attributes, 4, 'did/pub/X25519/enc/base64', key);
    await set(attributes, 4, 'did/pub/Secp256k1/veriKey/hex', account(5).publicKey);
    await set(attributes, 4, 'did/svc/HubService', hub);
    await set(attributes, 4, 'did/svc/Messages', toUtf8Bytes('{"uri":"https://m.example","accept":["a"]}'));
    await set(attributes, 4, 'something/else', key);
    cases.push({ name: 'attributes', did: did(address(4)) });

    const revoked = await by(5);
    await set(revoked, 5, 'did/svc/HubService', hub);
    await set(revoked, 5, 'did/svc/Second', hub);
    await done(revoked.revokeAttribute(address(5), name('did/svc/HubService'), hub));
    cases.push({ name: 'revoked service', did: did(address(5)) });

    await done((await by(6)).changeOwner(address(6), address(1)));
    await done((await by(1)).addDelegate(address(6), name('sigAuth'), other(4), DAY));
    cases.push({ name: 'changed owner', did: did(address(6)) });
    cases.push({ name: 'changed owner of a key', did: did(account(6).publicKey) });

    await done((await by(7)).addDelegate(address(7), name('veriKey'), other(5), DAY));
    await done((await by(7)).changeOwner(address(7), ZeroAddress));
    cases.push({ name: 'deactivated', did: did(address(7)) });

    await provider.send('evm_setAutomine', [false]);
    const together = await by(8);
    const sent = [
        await together.addDelegate(address(8), name('veriKey'), other(6), DAY),
        await together.setAttribute(address(8), name('did/svc/HubService'), hub, DAY),
        await together.changeOwner(address(8), address(9)),
    ];
    await provider.send('evm_mine', []);
    await provider.send('evm_setAutomine', [true]);
    for (const transaction of sent) await transaction.wait();
    cases.push({ name: 'three changes in one block', did: did(address(8)) });
    return cases;
}

function name(text) {
    return encodeBytes32String(text);
}
