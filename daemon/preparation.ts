// All that a daemon takes from its disk before anything listens, so that a start that cannot succeed ends before a
// peer or a client could come: the folder, the name, the token, what was seen, the log, the guest's module.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { WasmGuest } from '../keepers/wasm/wasm-guest.ts'
import type { Witness } from '../shared/ports.ts'
import { chooseWitness, type Config } from './config.ts'
import { describeFileError } from '../terminal/file-reasons.ts'
import { LogDestination } from './log-destination.ts'
import { openLog, openQemuTrace } from './log.ts'
import { RetriedWrite } from './retried-write.ts'
import { refuseTakenName } from './run-files.ts'
import { SeenFile } from './seen-file.ts'
import { readOrMakeToken } from './token-file.ts'
import { WarningList } from './warnings.ts'
import { writeWholeFile } from './whole-file.ts'
import { FileWitness } from '../witnesses/file-witness.ts'
import { RegisterFiles } from '../witnesses/register-files.ts'
import { GrantingWitness } from '../witnesses/granting-witness.ts'

export interface Preparation {
  readonly tokenFile: string
  readonly token: string
  readonly warnings: WarningList
  readonly seen: SeenFile
  readonly logDestination: LogDestination
  readonly log: Logger
  readonly guest: WasmGuest
  /** Keeps a rewritten module that could not be kept when it was made. */
  readonly moduleWrite: RetriedWrite<Uint8Array> | undefined
  readonly witness: Witness
}

/** Throws one line that names the file and the way out. `changed` hears of each new list of warnings. */
export function prepare(config: Config, changed: () => void): Preparation {
  const { dir, pair, name, delays } = config
  const retryMs = delays.fileRetryMs
  const home = join(dir, pair)
  makeHome(dir, home)
  refuseTakenName(dir, pair, name)
  const tokenFile = config.tokenFile ?? join(home, 'token')
  const token = readOrMakeToken(tokenFile)
  const warnings = new WarningList({
    began: (warning, text) => log.warn({ warning }, text),
    ended: (warning, text) => log.info({ warning }, `over: ${text}`),
    changed,
  })
  const seen = new SeenFile(join(home, `${name}.seen`), retryMs, warnings)
  const logDestination = new LogDestination({ path: config.log, retryMs, warnings })
  const log = openLog(config, logDestination)
  try {
    const witness = openWitness(config, warnings)
    // Last of what can fail: it starts a thread.
    const guest = openGuest(config, log)
    const moduleWrite = keepModule(guest, retryMs, warnings)
    return { tokenFile, token, warnings, seen, logDestination, log, guest, moduleWrite, witness }
  } catch (error) {
    logDestination.dispose()
    throw error
  }
}

function makeHome(dir: string, home: string): void {
  try {
    mkdirSync(home, { recursive: true })
  } catch (error) {
    const why = describeFileError(home, error, 'write')
    throw new Error(`--dir ${dir}: ${why}; --dir names the folder`, { cause: error })
  }
}

/** Throws ModuleRefused, or one line that names the file. */
function openGuest(config: Config, log: Logger): WasmGuest {
  const { guest: file, memoryBytes, dirty, dir, delays } = config
  const options = { file, memoryBytes, dirty, cache: join(dir, 'modules') }
  try {
    return new WasmGuest(options, delays.guestCallTimeoutMs, openQemuTrace(log))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw new Error(`--guest ${describeFileError(file, error, 'read')}`, { cause: error })
  }
}

function keepModule(
  { unkept }: WasmGuest,
  retryMs: number,
  warnings: WarningList,
): RetriedWrite<Uint8Array> | undefined {
  if (unkept === undefined) return undefined
  const write = new RetriedWrite<Uint8Array>({
    name: 'module cache',
    path: unkept.file,
    meanwhile: 'each start rewrites the guest',
    retryMs,
    warnings,
    put: async (content) => writeWholeFile(unkept.file, content),
  })
  write.keep(unkept.content)
  return write
}

function openWitness(config: Config, warnings: WarningList): Witness {
  const { kind, folder } = chooseWitness(config)
  const problem = (why: string | undefined) => {
    if (why === undefined) warnings.clear('witness')
    else warnings.set('witness', `witness not reached: ${why}`)
  }
  if (kind === 'file') return new FileWitness(new RegisterFiles(folder), problem)
  return new GrantingWitness(kind, folder, problem)
}
