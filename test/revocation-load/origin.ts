import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What the origin is told. */
export interface OriginInput {
  /** DER in base64. */
  readonly root: string;
  readonly responder: string;
  readonly unknownStatus: 'reject' | 'accept';
  /** What its clock is ahead of the system's, in milliseconds. */
  readonly clockOffset: number;
}

/** What has happened in the origin since it was asked the last time. */
export interface OriginState {
  /** Milliseconds from one turn of the event loop to the next, of which one is the monitor's own. */
  readonly eventLoopP99Ms: number;
  /** When requests to the responder were begun, in milliseconds since the Unix epoch. */
  readonly attempts: readonly number[];
  /** Verdicts over lapsing and revoked clients that had ended, and were reached again. */
  readonly rejudged: number;
  /** Of its policy of revocation, now. */
  readonly health: 'ok' | 'degraded';
}

export interface Origin {
  readonly port: number;
  takeState(): Promise<OriginState>;
  stop(): Promise<void>;
}

/** What lets Node run TypeScript, on the sources of this repository. */
const onSources = ['--import', 'tsx', '--conditions=@peercert/source'];
/** The load stays on this machine: without TLS it is the origin that is measured. */
const quietly = '--disable-warning=PEERCERT_PLAINTEXT';

/** Starts an origin in a process of its own. */
export async function startOrigin(input: OriginInput): Promise<Origin> {
  const child = fork(join(__dirname, 'origin-process.ts'), {
    execArgv: [...onSources, quietly],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  const answer = async <Answer>(question: OriginInput | 'state'): Promise<Answer> => {
    const answered = once(child, 'message');
    child.send(question);
    const [value] = (await Promise.race([answered, gone.then(() => [])])) as [Answer?];
    if (value === undefined) throw new Error('The origin ended before it was told to.');
    return value;
  };
  return {
    port: await answer<number>(input),
    takeState: () => answer<OriginState>('state'),
    async stop() {
      child.kill();
      await gone;
    },
  };
}
