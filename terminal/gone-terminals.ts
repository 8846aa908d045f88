// A terminal may be closed while a command runs on it. At its end Node sets the terminals of its standard streams
// back to what they were, and some versions of it abort where that cannot be done any more: the exit code is lost.
// They leave alone a descriptor that was closed.

import { closeSync } from 'node:fs'
import { isatty } from 'node:tty'

const STANDARD_STREAMS = [0, 1, 2] as const

export function closeGoneTerminalsAtExit(): void {
  const terminals = STANDARD_STREAMS.filter((fd) => isatty(fd))
  if (terminals.length === 0) return
  process.on('exit', () => {
    for (const fd of terminals) if (!isatty(fd)) closeSync(fd)
  })
}
