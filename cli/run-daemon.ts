// One daemon in the foreground. It ends by request: SIGINT or SIGTERM, an operator's stop, or, when `colo up`
// started it, the end of its parent, so that no daemon is ever left behind.

import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../daemon/config.ts'
import { Daemon } from '../daemon/daemon.ts'
import { endProcess } from '../daemon/process-end.ts'
import { CliError, EXIT_CODES, oneLine } from '../terminal/exit-codes.ts'

/** The answer to `stop` gets this long to leave before the daemon closes its connections. */
const LAST_ANSWER_MS = 50

export async function runDaemon(config: Config, withParent: boolean): Promise<void> {
  const daemon = await Daemon.start(config).catch((error: unknown) => {
    throw new CliError('usage', `${config.told} ${config.name}: ${oneLine(error)}`, {
      cause: error,
    })
  })
  const stop = () => daemon.stop()
  process.on('SIGTERM', stop)
  if (withParent) {
    // A Ctrl-C reaches every process of the terminal; the parent ends its children in order.
    process.on('SIGINT', () => {})
    process.on('disconnect', stop)
    if (!process.connected) stop()
  } else {
    process.on('SIGINT', stop)
  }
  await daemon.stopped
  await delay(LAST_ANSWER_MS)
  await daemon.dispose()
  if (process.connected) process.disconnect()
  await endProcess(EXIT_CODES.done.code, daemon.endsWithinMs)
}
