import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cloudFront,
  createAuthenticator,
  type Outcome,
  parseClientCert,
  parseClientCertChain,
  sharedSecret,
  TrustStore,
} from '@peercert/core';
import { clientCertFieldLines } from '@peercert/edge';
import type { CaseResult } from './case-result';

interface Example {
  readonly chain: { readonly leaf: string; readonly intermediate: string; readonly root: string };
  readonly chainValidAt: string;
  readonly chainExpiredAt: string;
  readonly headers: readonly {
    readonly id: string;
    readonly raw: readonly string[];
    readonly expected: readonly string[];
  }[];
}

/** RFC 9440 Appendix A: its fields are parsed, written and validated, by its own clock and by a later one. */
export async function runRfc9440(folder: string): Promise<readonly CaseResult[]> {
  const example = JSON.parse(readFileSync(join(folder, 'example.json'), 'utf8')) as Example;
  const [leaf, intermediate, root] = [example.chain.leaf, example.chain.intermediate, example.chain.root].map(
    (text) => {
      return Buffer.from(text, 'base64');
    },
  ) as [Buffer, Buffer, Buffer];
  const [certField, chainField] = example.headers;
  const authenticate = async (time: string): Promise<Outcome> => {
    const secret = 'a secret for the time of this run'.replaceAll(' ', '-');
    const authenticator = createAuthenticator({
      trust: TrustStore.fromDer([root]),
      source: cloudFront({ channel: sharedSecret({ header: 'x-secret', secrets: [secret] }) }),
      clock: () => Date.parse(time),
    });
    const fields = [...clientCertFieldLines([leaf, intermediate, root]), ['X-Secret', secret]];
    return authenticator.authenticate({ rawHeaders: fields.flat(), socket: { encrypted: true } as never });
  };
  const valid = await authenticate(example.chainValidAt);
  const expired = await authenticate(example.chainExpiredAt);
  const parsed = parseClientCertChain(chainField?.raw ?? []);
  return [
    agrees('figure 2 is parsed', Buffer.from(parseClientCert(certField?.raw ?? [])).equals(leaf)),
    agrees('figure 3 is parsed', Buffer.concat(parsed).equals(Buffer.concat([intermediate, root]))),
    agrees(
      'the edge writes figures 2 and 3',
      JSON.stringify(clientCertFieldLines([leaf, intermediate, root])) ===
        JSON.stringify([
          ['Client-Cert', certField?.raw[0]],
          ['Client-Cert-Chain', chainField?.raw[0]],
        ]),
    ),
    {
      tier: 'core',
      duration: 0,
      id: 'the example in 2020',
      expected: 'accept',
      actual: valid.status === 'authenticated' ? 'accept' : 'reject',
      sameResult: valid.status === 'authenticated' && valid.identity.emails.join() === 'bdc@example.com',
    },
    {
      tier: 'core',
      duration: 0,
      id: 'the example after it expired',
      expected: 'reject',
      actual: expired.status === 'rejected' && expired.error.code === 'ERR_CERTIFICATE_EXPIRED' ? 'reject' : 'accept',
    },
  ];
}

function agrees(id: string, sameResult: boolean): CaseResult {
  return { id, tier: 'core', duration: 0, expected: 'accept', actual: 'accept', sameResult };
}
