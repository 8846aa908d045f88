// What is said on the control channel: one JSON object a WebSocket message, checked against these schemas at
// both ends. Every connection begins with `hello`, which says who calls; a peer is then welcomed or refused,
// an operator (the command line, the console) may ask and command. Numbers are milliseconds, bytes or counts,
// as their names say. docs/protocol.md prints this table.

import { z } from 'zod'
import { EARLIER_MAX } from './register.ts'
import { ERRORS, type ErrorCode } from './errors.ts'
import { STATES, type StateName } from './states.ts'

const keysOf = <K extends string>(table: Record<K, unknown>) =>
  z.enum(Object.keys(table) as [K, ...K[]])

const incarnation = z.string().regex(/^[0-9a-f]{32}$/)
const count = z.int().nonnegative()
const state = keysOf<StateName>(STATES)
const errorCode = keysOf<ErrorCode>(ERRORS)
const role = z.enum(['primary', 'secondary'])
const text = z.string().max(1000)

export const holderSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('alone'), owner: incarnation }),
  z.object({
    kind: z.literal('pair'),
    primary: incarnation,
    secondary: incarnation,
    session: count,
  }),
  z.object({ kind: z.literal('stopped') }),
])

const token = z.string().regex(/^[0-9a-f]{32}$/)

export const registerSchema = z.object({
  pair: token,
  generation: count,
  nonce: token,
  earlier: z.array(token).max(EARLIER_MAX).readonly(),
  coldSince: count,
  holder: holderSchema,
})

/** The newest register that a side has seen, without its content. */
const seenSchema = z.object({ pair: token, generation: count, nonce: token })

const version = z.object({ major: count, minor: count })

/** Which colo-pair a side runs, for people; nothing is decided by it. Older sides do not say. */
const packageVersion = z.string().max(100).optional()

export const helloSchema = z.object({
  type: z.literal('hello'),
  from: z.literal('peer'),
  version,
  pair: z.string().max(200),
  token: z.string().max(200).optional(),
  name: z.string().max(200),
  incarnation,
  generation: count,
  /** Absent: this side has seen no register of any pair. */
  seen: seenSchema.optional(),
  epoch: count,
  /** An operator's verb wants to know how the other side stands; no session is meant. */
  asks: z.enum(['adopt', 'start-over']).optional(),
  packageVersion,
  guest: z.object({
    name: z.string().max(200),
    digest: z.string().max(200),
    memoryBytes: count,
  }),
})

export const operatorHelloSchema = z.object({
  type: z.literal('hello'),
  from: z.literal('operator'),
  version,
})

const welcomeSchema = z.object({
  type: z.literal('welcome'),
  /** Of the primary; one that does not say speaks 1.0. */
  version: version.optional(),
  name: z.string().max(200),
  incarnation,
  generation: count,
  session: count,
  dataAddress: z.string().max(200),
  dataToken: z.string().max(100),
  /** The owner's register, which a secondary takes over. Absent: the owner speaks protocol 1.0. */
  register: registerSchema.optional(),
  packageVersion,
})

const refusedSchema = z.object({
  type: z.literal('refused'),
  code: errorCode,
  reason: text,
  /** Of whoever refuses, once the caller has shown the token of the pair. */
  incarnation: incarnation.optional(),
  /** What this side has seen, so that the caller can look for the right register; null: nothing. */
  seen: seenSchema.nullable().optional(),
})

/** The answer to a hello that `asks`: how this side stands. Its link stays open until the verb has ended. */
const standingSchema = z.object({
  type: z.literal('standing'),
  incarnation,
  state,
  /** This side runs the guest for its clients, or may do so without asking anybody. */
  serves: z.boolean(),
  /** This side holds a whole copy of the guest. */
  holdsState: z.boolean(),
  /** The newest register that this side knows. */
  known: registerSchema.optional(),
})

/** The verb that asked has written this register: the side that was asked obeys it. */
const adoptedSchema = z.object({ type: z.literal('adopted'), register: registerSchema })

const heartbeatSchema = z.object({
  type: z.literal('heartbeat'),
  generation: count,
  epoch: count,
  state,
  /** Of this session's data channel: what was given to it and taken from it, except the token line. */
  sentBytes: count.optional(),
  takenBytes: count.optional(),
})

const registerMessageSchema = z.object({ type: z.literal('register'), register: registerSchema })

const byeSchema = z.object({
  type: z.literal('bye'),
  code: errorCode,
  detail: text,
  /** guest-died: how to recognise the client's input that it died of. */
  poison: z.object({ length: count, digest: z.string().max(100) }).optional(),
})

/** The secondary's operator wants the primary to hand the guest over. */
const yieldSchema = z.object({ type: z.literal('yield') })

/** The pair was stopped by request: end as well. */
const stoppedSchema = z.object({ type: z.literal('stopped') })

export const peerMessageSchema = z.discriminatedUnion('type', [
  helloSchema,
  welcomeSchema,
  refusedSchema,
  heartbeatSchema,
  registerMessageSchema,
  standingSchema,
  adoptedSchema,
  byeSchema,
  yieldSchema,
  stoppedSchema,
])

export type PeerMessage = z.infer<typeof peerMessageSchema>
export type PeerHello = z.infer<typeof helloSchema>
export type Heartbeat = z.infer<typeof heartbeatSchema>
export type Welcome = z.infer<typeof welcomeSchema>
export type PeerStanding = z.infer<typeof standingSchema>

/** What an operator can do to a side. `changes`: needs the token of the pair. */
export const VERBS = {
  status: { changes: false, meaning: 'what this side is and does' },
  history: { changes: false, meaning: 'the last checkpoints and failovers, a row each' },
  watch: { changes: false, meaning: 'a status at once and after each change' },
  failover: {
    changes: true,
    meaning: 'the other side, or a waiting claim, goes on with the guest',
  },
  failback: { changes: true, meaning: 'a standalone side accepts a new secondary' },
  pause: { changes: true, meaning: 'suspends the guest; checkpoints go on' },
  resume: { changes: true, meaning: 'resumes the guest' },
  'start-over': { changes: true, meaning: 'a cold guest, after every state was lost' },
  adopt: { changes: true, meaning: 'goes on from the state that this side holds' },
  stop: { changes: true, meaning: 'ends this side, or with --pair both' },
} as const

export type VerbName = keyof typeof VERBS

export const verbSchema = z.object({
  type: z.literal('verb'),
  id: count,
  verb: keysOf<VerbName>(VERBS),
  token: z.string().max(200).optional(),
  /** start-over, adopt: the generation that the operator has seen. */
  generation: count.optional(),
  /** start-over: the first hex digits of the incarnation that the register names as its owner. */
  owner: z
    .string()
    .regex(/^[0-9a-f]{4,32}$/)
    .optional(),
  /** start-over: the operator says that this owner is dead. */
  ownerIsDead: z.boolean().optional(),
  /** start-over: the newer generation that this side has seen, and is to forget. */
  forgetGeneration: count.optional(),
  /** adopt: the operator says that the silent peer is dead. */
  peerIsDead: z.boolean().optional(),
  /** stop: both sides. */
  pair: z.boolean().optional(),
  /** history: at most so many rows. */
  rows: count.optional(),
  /** status: with the digest of the guest's memory; this needs the token. */
  digest: z.boolean().optional(),
})

export type VerbMessage = z.infer<typeof verbSchema>

const quantiles = z.object({ p50: z.number(), p99: z.number(), max: z.number() })

export const statusSchema = z.object({
  name: z.string(),
  pair: z.string(),
  /** Of colo-pair on this side, and as the peer said in this side's life. Older sides do not say. */
  version: packageVersion,
  pid: count,
  incarnation,
  role,
  state,
  reason: z.string(),
  generation: count,
  epoch: count,
  session: count,
  register: registerSchema.optional(),
  /** The newest register that this side has seen. */
  seen: seenSchema.optional(),
  witness: z.string(),
  /** Why the witness decides nothing at present. */
  witnessTrouble: z.string().optional(),
  warning: z.string().optional(),
  /** What is wrong with this side and does not end it. Older sides do not say. */
  warnings: z.array(z.string()).optional(),
  peer: z.object({
    name: z.string(),
    address: z.string(),
    incarnation: z.string().optional(),
    version: packageVersion,
  }),
  guest: z.object({
    name: z.string(),
    digest: z.string(),
    memoryBytes: count,
    kernel: z.string(),
    dirty: z.object({
      scheme: z.string(),
      rewriteMs: z.number(),
      whyScan: z.string().optional(),
    }),
    paused: z.boolean(),
    /** Of the last commit (secondary) or capture (primary); asked for, since it reads all RAM. */
    memoryDigest: z.string().optional(),
  }),
  addresses: z.object({ control: z.string(), data: z.string(), clients: z.string() }),
  clients: count,
  checkpoints: count,
  pages: count,
  bytes: count,
  heldBytes: count,
  stages: z.record(z.string(), quantiles),
  pause: quantiles,
  find: quantiles,
  cycle: quantiles,
  dirtyPages: count,
  failovers: count,
  rssBytes: count,
  uptimeMs: z.number(),
})

export type Status = z.infer<typeof statusSchema>

export const answerSchema = z.object({
  type: z.literal('answer'),
  id: count,
  ok: z.boolean(),
  code: errorCode.optional(),
  detail: text.optional(),
  status: statusSchema.optional(),
  checkpoints: z.array(z.record(z.string(), z.unknown())).optional(),
  failovers: z.array(z.record(z.string(), z.unknown())).optional(),
})

export const eventSchema = z.object({ type: z.literal('event'), status: statusSchema })

export const operatorMessageSchema = z.discriminatedUnion('type', [
  refusedSchema,
  answerSchema,
  eventSchema,
])

export type OperatorMessage = z.infer<typeof operatorMessageSchema>
export type Answer = z.infer<typeof answerSchema>

export const firstMessageSchema = z.discriminatedUnion('from', [helloSchema, operatorHelloSchema])
