import { casesOf } from './cases';
import { sendRaw } from './client';
import { type Clients, mintClients } from './pki';
import { proxies, versionOf } from './proxies';
import { type ProxyResult, runCases } from './run-cases';
import { secretLineOf, type Site, startSite, type Use } from './site';

let pki: Clients;

beforeAll(async () => {
  pki = await mintClients();
}, 60_000);

describe.each(proxies)('the recipe for $heading', (proxy) => {
  const isInstalled = versionOf(proxy) !== undefined;
  const missing = `${proxy.name} is not installed (apt-get install ${proxy.package}), so its recipe was not run`;
  if (!isInstalled) console.warn(`NOT TESTED: ${missing}`);

  it('is run in CI, whatever is missing elsewhere', () => {
    expect(process.env['CI'] === undefined || isInstalled ? '' : missing).toBe('');
  });

  (isInstalled ? describe : describe.skip)('with the real proxy', () => {
    let results: readonly ProxyResult[];

    beforeAll(async () => {
      results = await runCases(proxy, pki);
    }, 60_000);

    const titled = casesOf(proxy).map(({ case: name, expected }) => {
      const row = /forged|the headers of/.test(name) ? 'CH-26: ' : '';
      return [`${row}${name}: ${expected}`, name, expected] as const;
    });

    it.each(titled)('%s', (_, name, expected) => {
      expect(results.find((result) => result.case === name)).toEqual({
        proxy: proxy.name,
        version: versionOf(proxy),
        case: name,
        expected,
        actual: expected,
      });
    });

    async function withSite<T>(use: Use, work: (site: Site) => Promise<T>): Promise<T> {
      const site = await startSite(proxy, pki, use);
      try {
        return await work(site);
      } finally {
        await site.stop();
      }
    }

    const forgedBy = async ({ proxy: port }: Site, certificate = pki.bob): Promise<string> => {
      const lines = proxy.headersFor(certificate).map(([name, value]) => `${name}: ${value}`);
      return (await sendRaw({ port, pki }, lines)).answer;
    };

    it('is what keeps a forged header out: without its line anyone is anyone', async () => {
      const lineless = (text: string): string =>
        text
          .split('\n')
          .filter((line) => !line.includes(proxy.setting) && !/X-SSL-Client-Used/.test(line))
          .join('\n');
      await expect(withSite({ breakIt: lineless }, forgedBy)).resolves.toBe('urn:bob');
    }, 30_000);

    it('has a certificate that the origin asks for: without it nobody is anyone', async () => {
      const certless = (text: string): string => text.replaceAll(proxy.certificate, '');
      const answer = withSite({ breakIt: certless }, async ({ proxy: port }) => {
        return (await sendRaw({ port, pki, as: pki.alice }, [])).answer;
      });
      await expect(answer).resolves.toBe('403 certificate_required');
    }, 30_000);

    it('works with a secret in place of that certificate, and overwrites the secrets of clients', async () => {
      const secret = /"(.*)"/.exec(secretLineOf(proxy))?.[1];
      await withSite({ channel: 'secret' }, async (site) => {
        const ask = async (port: number, lines: readonly string[] = [], as = pki.alice): Promise<string> =>
          (await sendRaw({ port, pki, as }, lines)).answer;
        await expect(ask(site.proxy)).resolves.toBe('urn:alice');
        await expect(ask(site.proxy, ['X-Origin-Secret: guessed'])).resolves.toBe('urn:alice');
        await expect(ask(site.proxy, ['X-Origin-Secret: one', `x-origin-secret: two`])).resolves.toBe('urn:alice');
        await expect(forgedBy(site)).resolves.toBe('403 certificate_required');
        const forged = proxy.headersFor(pki.alice).map(([name, value]) => `${name}: ${value}`);
        const straight = { port: site.origin, pki, servername: 'localhost' };
        await expect(sendRaw(straight, forged)).resolves.toMatchObject({ answer: '403 certificate_required' });
        const knowing = [...forged, `X-Origin-Secret: ${secret}`];
        await expect(sendRaw(straight, knowing)).resolves.toMatchObject({ answer: 'urn:alice' });
      });
    }, 30_000);
  });
});
