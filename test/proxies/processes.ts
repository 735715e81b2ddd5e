import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

/** A process that listens on a port of this machine. */
export interface Running {
  /** What it has written to its standard output, so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Servers are in /usr/sbin, where not every user looks. */
export const searching = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };

const patienceMs = 15_000;

/**
 * Starts a process and waits until it listens.
 *
 * @throws {Error} with what it wrote when it ends before, or does not listen in time.
 */
export async function start(command: string, args: readonly string[], cwd: string, port: number): Promise<Running> {
  // What a proxy keeps at home, it keeps in the folder.
  const env = { ...searching, HOME: cwd, XDG_CONFIG_HOME: cwd, XDG_DATA_HOME: cwd };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const ended = once(child, 'exit');
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const running: Running = {
    output: () => output,
    async stop() {
      if (hasEnded()) return;
      child.kill('SIGTERM');
      const impatient = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await ended;
      clearTimeout(impatient);
    },
  };
  for (const until = Date.now() + patienceMs; !(await isListening(port));) {
    if (!hasEnded() && Date.now() < until) await new Promise((retry) => void setTimeout(retry, 20));
    else {
      await running.stop();
      throw new Error(`${command} does not listen on ${port}:\n${output}${complaints}`);
    }
  }
  return running;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: 'localhost' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
