import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TEST_TIME } from '@peercert/testkit';
import { serialOctets, type Subject } from './clients';

/** Two ways to be dead: nothing listens, or what listens never answers. */
export type Death = 'refusing' | 'hanging';

/** An OCSP responder that can die, and keeps its port when it does. */
export class Responder {
  readonly #subjects: ReadonlyMap<string, Subject>;
  /** When answers about lapsing clients end, in milliseconds since the Unix epoch. */
  readonly #lapsingUntil: number;
  #server: http.Server | undefined;
  #port = 0;

  constructor(subjects: ReadonlyMap<string, Subject>, lapsingUntil: number) {
    this.#subjects = subjects;
    this.#lapsingUntil = lapsingUntil;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/ocsp`;
  }

  async live(): Promise<void> {
    await this.#serve((request, response) => {
      response.setHeader('content-type', 'application/ocsp-response');
      response.end(this.#answer(request));
    });
  }

  /** Ends every connection, those with a question under way included. */
  async die(death: Death): Promise<void> {
    await this.close();
    if (death === 'hanging') await this.#serve(() => {});
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #serve(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> {
    this.#server = http.createServer(listener).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** RFC 6960 appendix A.1: the request is the last segment. Without a nonce, it ends with the serial number. */
  #answer({ url = '' }: IncomingMessage): Buffer {
    const request = Buffer.from(decodeURIComponent(url.slice(url.lastIndexOf('/') + 1)), 'base64');
    const subject = this.#subjects.get(request.subarray(-serialOctets).toString('hex'));
    if (subject === undefined) throw new Error('the responder was asked about a certificate that nobody has');
    const { group, serialNumber, issuer } = subject;
    return issuer.ocspResponse({
      serialNumber,
      ...(group === 'revoked' && { status: { revokedAt: TEST_TIME } }),
      ...(group === 'lapsing' && { nextUpdate: new Date(this.#lapsingUntil) }),
    });
  }
}
