// The daemon's log: pino's lines to a destination that never holds the daemon up, and what the core traces, as lines
// and as rows of the statistics.

import { pino, type Logger } from 'pino'
import type { QemuTrace } from '../formats/qemu/vmstate/trace-events.ts'
import { traceLine } from '../formats/qemu/trace/trace-line.ts'
import type { Trace } from '../shared/ports.ts'
import { isWanted } from '../shared/protocol/errors.ts'
import type { Config } from './config.ts'
import type { LogDestination } from './log-destination.ts'
import { logText } from './log-text.ts'
import { paintFor } from '../terminal/paint.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import type { StrangersLog } from './strangers-log.ts'

export function openLog(config: Config, destination: LogDestination): Logger {
  const { name, pair, logLevel: level, logFormat: format } = config
  const isText = format === 'text' || (format === 'auto' && destination.isTerminal)
  const stream = isText ? textLines(destination) : destination
  return pino({ level, base: { pair, name, pid: process.pid } }, stream)
}

function textLines(destination: LogDestination): { write(line: string): void } {
  const paint = paintFor({ isTTY: destination.isTerminal })
  return { write: (line) => destination.write(logText(line, paint)) }
}

/** What QEMU traces of a device's state; nothing is computed unless somebody wants to read it. */
export function openQemuTrace(log: Logger): QemuTrace | undefined {
  if (!log.isLevelEnabled('trace')) return undefined
  return (event, ...args) => log.trace({ event }, traceLine(event, args).trimEnd())
}

export function openTrace(
  log: Logger,
  strangers: StrangersLog,
  statistics: Statistics,
  changed: () => void,
): Trace {
  return {
    log: (level, message, fields = {}) => {
      if (level === 'warn') strangers.warned(message, fields)
      else log[level](fields, message)
    },
    error: (code, detail) => {
      const wanted = isWanted(code)
      log[wanted ? 'info' : 'error']({ code, wanted }, detail)
    },
    checkpoint: (row) => {
      statistics.checkpoint(row)
      if (log.isLevelEnabled('debug')) log.debug(row, 'checkpoint')
    },
    failover: (row) => {
      statistics.failover(row)
      log.warn(row, 'failover')
      changed()
    },
    changed,
  }
}
