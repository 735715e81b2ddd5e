import { type ChannelEvidence, type ChannelProof, untrusted } from '../channel/channel-proof';
import { type TlsPeer, tlsPeerOf } from '../channel/tls-peer';
import { ClientCertificateError } from '../errors';
import { checkOptions } from '../options';
import { asksForCertificates, type CertificateRequest } from '../request';
import { maxChainCertificates } from './limits';
import { type Presented, type Source, verdictKey } from './source';

/**
 * Certificates that clients present to this server itself, in TLS. The handshake proves possession of the private key;
 * everything else is validated here, for every request, and `socket.authorized` is not believed.
 *
 * The server must ask for certificates and leave judging them to peercert: see `originServerOptions`.
 */
export function nativeTls(options: Record<string, never> = {}): Source {
  checkOptions('nativeTls', options, []);
  return Object.freeze({
    name: 'native-tls',
    channel: nativeTlsChannel,
    proxyProves: 'possession',
    maxHeaderBytes: 0,
    fields: [],
    collect,
  } satisfies Source);
}

const evidence: ChannelEvidence = Object.freeze({ proof: 'native-tls' });

const nativeTlsChannel: ChannelProof = Object.freeze({
  proof: 'native-tls',
  // Anyone can be a TLS peer: this proves nothing about who may speak for others.
  isSufficient: false,
  readsTlsPeer: true,
  consumedHeaders: [],
  checkTrust(): void {},
  prove(request: CertificateRequest): ChannelEvidence {
    const peer = tlsPeerOf(request);
    if (typeof peer === 'string') throw untrusted('native-tls', peer);
    // Without this a server that does not ask would look like a world in which nobody has a certificate.
    if (peer.certificates.length === 0 && !asksForCertificates(request)) {
      const hint = 'The server does not ask clients for certificates: create it with originServerOptions().';
      throw new ClientCertificateError('ERR_SERVER_MISCONFIGURED', { hint });
    }
    return evidence;
  },
} satisfies ChannelProof);

/** Made once per TLS session: its certificates do not change. The verdict over them is still made for every request. */
const presentedBy = new WeakMap<TlsPeer, Presented>();

function collect(request: CertificateRequest): Presented | undefined {
  const peer = tlsPeerOf(request);
  if (typeof peer === 'string') throw untrusted('native-tls', peer);
  const [endEntity, ...chain] = peer.certificates;
  if (endEntity === undefined) return undefined;
  if (chain.length > maxChainCertificates) {
    throw new ClientCertificateError('ERR_CHAIN_TOO_LONG', { count: chain.length, maximum: maxChainCertificates });
  }
  const known = presentedBy.get(peer);
  if (known !== undefined) return known;
  const presented: Presented = {
    key: verdictKey(['native-tls', ...peer.certificates.map((der) => der.toString('latin1'))]),
    decodeChain: () => chain,
    decodeEndEntity: () => endEntity,
  };
  presentedBy.set(peer, presented);
  return presented;
}
