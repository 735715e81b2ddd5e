import { cloudFrontHeaders, createAuthority } from '@peercert/testkit';

const root = createAuthority();
const field = (der: Buffer): string => `:${der.toString('base64')}:`;

describe('CloudFront headers', () => {
  it('carry the end-entity certificate alone when nothing else was presented', () => {
    const client = root.issue();
    expect(cloudFrontHeaders(client)).toEqual([['Client-Cert', field(client.der)]]);
  });

  it('carry the intermediates from the issuer up, without the root', () => {
    const lower = root.issueIntermediate().issueIntermediate();
    const client = lower.issue();
    const [upperDer] = lower.chain;
    expect(Object.fromEntries(cloudFrontHeaders(client))).toEqual({
      'Client-Cert': field(client.der),
      'Client-Cert-Chain': `${field(lower.der)}, ${field(upperDer ?? Buffer.alloc(0))}`,
    });
  });

  it('carry the chain given in place of the own one, as it is ordered', () => {
    const client = root.issueIntermediate().issue();
    expect(cloudFrontHeaders(client, { chain: client.chainWithRoot.toReversed() }).flat()).toEqual([
      'Client-Cert',
      field(client.der),
      'Client-Cert-Chain',
      client.chainWithRoot.toReversed().map(field).join(', '),
    ]);
    expect(cloudFrontHeaders(client, { chain: [] })).toHaveLength(1);
    expect(cloudFrontHeaders({ der: client.der })).toHaveLength(1);
  });

  it('are written for four certificates and refused for five', () => {
    const { der } = root.issue();
    expect(cloudFrontHeaders({ der, chain: [der, der, der] })).toHaveLength(2);
    expect(() => cloudFrontHeaders({ der, chain: [der, der, der, der] })).toThrow(RangeError);
  });
});
