import { daysFromTestTime, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import type {
  RevocationAnswer,
  RevocationMethod,
  RevocationQuestion,
} from '../../packages/core/src/revocation/revocation-method';
import { Certificate } from '../../packages/core/src/x509/certificate';

type Good = RevocationAnswer & { readonly status: 'good' };
type Revoked = RevocationAnswer & { readonly status: 'revoked' };

/** A method of revocation for tests. */
export interface FakeMethod extends RevocationMethod {
  /** Subjects it was asked about, in order. */
  readonly asked: readonly string[];
  readonly questions: readonly RevocationQuestion[];
  revision: number;
}

export const sha256Of = ({ der }: Pick<TestCertificate, 'der'>): string => new Certificate(Buffer.from(der)).sha256;

/** A method that answers by itself, with whatever a function makes of the question. */
export function methodThat(
  answer: (question: RevocationQuestion) => unknown,
  fields: Partial<RevocationMethod> = {},
): FakeMethod {
  const questions: RevocationQuestion[] = [];
  return {
    name: 'crl',
    revision: 0,
    health: { method: 'crl', status: 'ok', sources: [] },
    checkTrust: () => {},
    close: async () => {},
    questions,
    get asked() {
      return questions.map(({ certificate }) => certificate.subject.toString());
    },
    ask: (question) => {
      questions.push(question);
      return answer(question) as RevocationAnswer;
    },
    ...fields,
  };
}

/** That a certificate is good, from a day before `TEST_TIME` to a day after it. */
export function good(fields: Partial<Good> = {}): Good {
  const [asOf, until] = [daysFromTestTime(-1).getTime(), daysFromTestTime(1).getTime()];
  return { status: 'good', source: 'test', asOf, until, ...fields };
}

/** That a certificate was revoked, at `TEST_TIME`. */
export function revoked(fields: Partial<Revoked> = {}): Revoked {
  const dates = { revokedAt: TEST_TIME.getTime(), reason: 'keyCompromise' } as const;
  return { ...good(), status: 'revoked', ...dates, ...fields };
}

/** The details of a refusal because of {@link revoked}. */
export const ofRevoked = { method: 'crl', source: 'test', revokedAt: TEST_TIME, reason: 'keyCompromise' } as const;

/** A method that knows that these are revoked and all others are good. */
export function revoking(...certificates: readonly Pick<TestCertificate, 'der'>[]): FakeMethod {
  const digests = new Set(certificates.map(sha256Of));
  return methodThat(({ certificate }) => (digests.has(certificate.sha256) ? revoked() : good()));
}

/** An answer that somebody else gives. */
export function pending(): { readonly answer: Promise<RevocationAnswer>; readonly give: (answer: unknown) => void } {
  let give: (answer: RevocationAnswer) => void = () => {};
  const answer = new Promise<RevocationAnswer>((resolve) => (give = resolve));
  return { answer, give: (given) => give(given as RevocationAnswer) };
}
