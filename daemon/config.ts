// What a daemon is told: one schema for the command line, for `colo up`, which passes it to its children, and
// for the docs. Addresses are host:port; port 0 takes a free one.

import { constants } from 'node:buffer'
import { join } from 'node:path'
import { z } from 'zod'
import { DELAY_NAMES, delaysWith, type Delays } from '../shared/protocol/delays.ts'
import { DIRTY_MODES, type DirtyMode } from '../keepers/wasm/guest-module.ts'
import { memoryBytesFor } from '../shared/memory/page-store.ts'
import { LIMITS } from '../shared/protocol/limits.ts'

const WASM_PAGE_BYTES = 65536
const MIB = 1024 * 1024

/** Larger typed arrays are not to be had everywhere, and the page store of a guest is one. */
const BUFFER_BYTES_MAX = Math.min(constants.MAX_LENGTH, 2 ** 32 - 1)

/** What `--memory` takes at most. */
export const MEMORY_BYTES_MAX = Math.min(
  LIMITS.memoryBytesMax,
  memoryBytesFor(BUFFER_BYTES_MAX, MIB),
)

export const MEMORY_REFUSED = `at most ${MEMORY_BYTES_MAX / MIB}MiB: a side holds the guest's memory twice, in one buffer of at most 4 GiB`

export const WITNESS_KINDS = {
  file: 'generation files in a folder that both sides reach (one machine, or a shared file system)',
  operator: 'a failover waits until a person says `colo failover`',
  none: 'every claim is granted: split brain is possible',
} as const

export type WitnessKind = keyof typeof WITNESS_KINDS

/** What `--log-format` takes. */
export const LOG_FORMATS = {
  auto: 'text on a terminal, json elsewhere',
  text: 'lines for people, coloured on a terminal unless NO_COLOR is set',
  json: 'one JSON object a line',
} as const

export type LogFormat = keyof typeof LOG_FORMATS

const delaysSchema = z
  .object(Object.fromEntries(DELAY_NAMES.map((name) => [name, z.number().positive().optional()])))
  .strict()
  .transform((given) => delaysWith(given as Partial<Delays>))

const name = z.string().regex(/^[\w.-]{1,100}$/, 'letters, digits, dots and dashes')

export const configSchema = z.object({
  name,
  pair: name,
  told: z.enum(['primary', 'secondary']),
  /** Found the pair without the peer's word: it never ran before. */
  isNew: z.boolean().default(false),
  /** Where the pairs keep what they keep: token, register, what was seen, run files. */
  dir: z.string().min(1),
  control: z.string(),
  data: z.string(),
  clients: z.string(),
  /** The control address of the other side. */
  peer: z.string(),
  /** What a welcomed secondary is told to dial, if that is not `data` itself (a proxy, a published port). */
  advertiseData: z.string().optional(),
  /** Names that a request to the control port may have in `Host`, beside addresses and localhost. */
  httpHosts: z.array(z.string().min(1).max(253)).default([]),
  guest: z.string(),
  memoryBytes: z
    .int()
    .positive()
    .max(MEMORY_BYTES_MAX, MEMORY_REFUSED)
    .multipleOf(WASM_PAGE_BYTES, 'a multiple of 64 KiB'),
  dirty: z.enum(Object.keys(DIRTY_MODES) as [DirtyMode, ...DirtyMode[]]).default('auto'),
  witness: z.string().default('file'),
  failback: z.enum(['auto', 'manual']).default('auto'),
  tokenFile: z.string().optional(),
  record: z.string().optional(),
  log: z.string().optional(),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  logFormat: z.enum(Object.keys(LOG_FORMATS) as [LogFormat, ...LogFormat[]]).default('auto'),
  delays: delaysSchema.default(delaysWith()),
})

export type Config = z.output<typeof configSchema>
export type ConfigInput = z.input<typeof configSchema>

export interface WitnessChoice {
  readonly kind: WitnessKind
  readonly folder: string
}

/** `file`, `file:FOLDER`, `operator` or `none`. Throws with the way out on anything else. */
export function chooseWitness(
  config: Pick<Config, 'witness' | 'dir' | 'pair' | 'name'>,
): WitnessChoice {
  const [kind, ...rest] = config.witness.split(':')
  const home = join(config.dir, config.pair)
  if (kind === 'file') {
    return { kind, folder: rest.length > 0 ? rest.join(':') : join(home, 'witness') }
  }
  if (kind === 'operator' || kind === 'none') {
    return { kind, folder: join(home, `${config.name}.register`) }
  }
  const kinds = Object.keys(WITNESS_KINDS).join(', ')
  throw new Error(
    `unknown witness ${JSON.stringify(config.witness)}: one of ${kinds}, or file:FOLDER`,
  )
}

/** Where a daemon listens: host:port each. */
export interface Addresses {
  readonly control: string
  readonly data: string
  readonly clients: string
}
