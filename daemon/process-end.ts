// The end of a daemon's process. The C library's exit waits for the threads that work on files and on names, and one
// of them may stand in a write to a disk that does not answer. So they get a bounded time; a process that still has
// such a call under way then is ended by a signal, which waits for nothing.

import { setTimeout as delay } from 'node:timers/promises'

const LOOK_AGAIN_MS = 5

/** The calls that a thread of Node's pool works on. */
const OF_A_THREAD = /^(FSReq|FileHandle|GetAddrInfo|GetNameInfo)/i

function isThreadBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => OF_A_THREAD.test(name))
}

/** Does not return. */
export async function endProcess(code: number, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs
  while (isThreadBusy() && performance.now() < end) await delay(LOOK_AGAIN_MS)
  if (isThreadBusy()) process.kill(process.pid, 'SIGKILL')
  process.exit(code)
}
