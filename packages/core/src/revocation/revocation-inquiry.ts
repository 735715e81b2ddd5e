import {
  askSafely,
  moreTelling,
  type RevocationAnswer,
  type RevocationMethod,
  type RevocationQuestion,
  unknown,
} from './revocation-method';

/** Whom to ask about a certificate, and how. */
export interface InquiryRules {
  /** In the order in which they are asked. */
  readonly methods: readonly RevocationMethod[];
  /** Who must have said that a certificate is good. */
  readonly mustAnswer: readonly RevocationMethod['name'][];
  readonly timeoutMs: number;
}

/** What was found out about one certificate, and by which method. */
export interface Finding {
  readonly answer: RevocationAnswer;
  readonly method: RevocationMethod['name'];
}

/** Asks about the certificates of one path, all at the same time. */
export class Inquiry {
  readonly #rules: InquiryRules;
  #timer: NodeJS.Timeout | undefined;
  #late: Promise<RevocationAnswer> | undefined;

  constructor(rules: InquiryRules) {
    this.#rules = rules;
  }

  /** What is found out: a promise where somebody does not answer at once. */
  ask(question: RevocationQuestion): Finding | Promise<Finding> {
    return this.#askFrom(0, question, []);
  }

  /** Leaves no timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** The methods from one on, until one knows; and those that must answer. */
  #askFrom(index: number, question: RevocationQuestion, before: readonly Finding[]): Finding | Promise<Finding> {
    const findings = [...before];
    for (const [at, method] of this.#rules.methods.entries()) {
      if (at < index || !this.#isToBeAsked(method.name, findings)) continue;
      const answer = askSafely(method, question);
      if (answer instanceof Promise) {
        return this.#inTime(answer).then((one) => {
          return this.#askFrom(at + 1, question, [...findings, { answer: one, method: method.name }]);
        });
      }
      findings.push({ answer, method: method.name });
    }
    return this.#weigh(findings);
  }

  #isToBeAsked(name: RevocationMethod['name'], findings: readonly Finding[]): boolean {
    if (findings.some(({ answer }) => answer.status === 'revoked')) return false;
    const isStillRequired = this.#rules.mustAnswer.includes(name) && !isGoodBy(findings, name);
    return isStillRequired || !findings.some(({ answer }) => answer.status === 'good');
  }

  /** The answer, or that it did not come in time, which runs from the first who does not answer at once. */
  async #inTime(answer: Promise<RevocationAnswer>): Promise<RevocationAnswer> {
    this.#late ??= new Promise((resolve) => {
      const late = unknown('unreachable', 'no answer in time');
      this.#timer = setTimeout(() => resolve(late), this.#rules.timeoutMs);
    });
    return Promise.race([answer, this.#late]);
  }

  #weigh(findings: readonly Finding[]): Finding {
    const ofRevoked = findings.find(({ answer }) => answer.status === 'revoked');
    if (ofRevoked !== undefined) return ofRevoked;
    const silent = this.#rules.mustAnswer.find((name) => !isGoodBy(findings, name));
    if (silent !== undefined) return failedToAnswer(silent, findings);
    // There are several only where more than one must have answered. All of them have to hold.
    const good = findings.filter(({ answer }) => answer.status === 'good');
    return good.length === 0 ? mostTelling(findings) : good.reduce(firstToEnd);
  }
}

function isGoodBy(findings: readonly Finding[], name: RevocationMethod['name']): boolean {
  return findings.some(({ answer, method }) => answer.status === 'good' && method === name);
}

function failedToAnswer(name: RevocationMethod['name'], findings: readonly Finding[]): Finding {
  const { answer } = mostTelling(findings.filter(({ method }) => method === name));
  const { cause, detail } = answer as RevocationAnswer & { status: 'unknown' };
  return { answer: { ...unknown(cause, `${name} must answer: ${detail}`), isFinal: true }, method: name };
}

/** @param findings - Never empty: the first method is always asked, and so is whoever must answer. */
function mostTelling(findings: readonly Finding[]): Finding {
  return findings.reduce((one, other) => (moreTelling(one.answer, other.answer) === one.answer ? one : other));
}

function firstToEnd(one: Finding, other: Finding): Finding {
  return endOf(one) <= endOf(other) ? one : other;
}

function endOf({ answer }: Finding): number {
  return answer.status === 'good' ? answer.until : -Infinity;
}
