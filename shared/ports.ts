// The ports of the pure core. A side (one daemon's half of the pair, minus the world) speaks to the world only
// through these interfaces: synchronous calls out; what happens in the world comes in as calls of the methods
// of `Side`. A daemon implements them on sockets, threads and files, the simulator on a virtual clock,
// network, disk and witness; nothing is mocked, both are full implementations.

import type { PageStore } from './memory/page-store.ts'
import type { PeerMessage } from './protocol/control-messages.ts'
import type { Capture, GuestState } from './guest.ts'
import type { ErrorCode } from './protocol/errors.ts'
import type { Epoch, Generation, Nonce, PairId, Register } from './protocol/register.ts'
import type { CheckpointRow, FailoverRow } from './protocol/rows.ts'

/** Monotonic milliseconds, fractions allowed. The shape that xstate takes as its clock. */
export interface Clock {
  now(): number
  setTimeout(callback: () => void, delayMs: number): TimerHandle
  clearTimeout(handle: TimerHandle): void
  /** As soon as the events that are already waiting have been handled. */
  soon(callback: () => void): void
}

export type TimerHandle = unknown

export interface Random {
  /** 128 bits nobody can guess, as 32 hex digits: incarnations and session tokens. */
  token(): string
}

/** The control channel to the peer: whole messages, in order, until it is closed. */
export interface ControlLink {
  send(message: PeerMessage): void
  close(): void
}

/**
 * What a control link calls. After `closed` nothing more comes; after the owner's own `close` nothing but a bye
 * that was on its way.
 */
export interface ControlLinkHandlers {
  message(message: PeerMessage): void
  closed(): void
}

/** The data channel of one session, after its token line: Xen's bytes both ways. */
export interface DataChannel {
  /**
   * Hands bytes over, in order. They are not copied: their owner leaves them alone until `taken` was called
   * for this write, or until the channel is closed.
   */
  write(chunks: readonly Uint8Array[]): void
  close(): void
}

/** What a data channel calls. After `closed` nothing more comes. */
export interface DataChannelHandlers {
  /** Where the next bytes shall go: at least one byte of room. */
  buffer(): Uint8Array
  /** `count` bytes were put at the start of what buffer() gave. */
  received(count: number): void
  /** The oldest write that was not yet taken is now in the kernel's hands. Once for each write, in order. */
  taken(): void
  closed(): void
}

export interface Network {
  /** Dials the peer's control address; the answer comes as open or failed, once. */
  dialPeer(answer: {
    open(link: ControlLink): ControlLinkHandlers
    failed(why: string): void
  }): void
  /** Dials the data channel that a welcome named, sending the token line first. */
  dialData(
    to: { readonly address: string; readonly token: string },
    answer: { open(channel: DataChannel): DataChannelHandlers; failed(why: string): void },
  ): void
  /** What a welcome tells the secondary to dial. */
  readonly dataAddress: string
}

/** The guest on this side. One at a time; `stop` ends it, after which `start` or `load` may begin another. */
export interface GuestPort {
  /** Where RAM stands between checkpoints: the shadow of a PVM, the committed state of an SVM. */
  readonly store: PageStore
  readonly identity: GuestIdentity
  /** The call with a client's input that it is in, where this is known. */
  readonly call?: GuestCall | undefined
  /** A cold guest. Answer: running, or died. */
  start(): void
  /** A guest that goes on from `store` and `state`. Answer: running, or died. */
  load(state: GuestState): void
  /**
   * Suspends the guest at its next boundary, puts what changed since the last capture (or all that is not
   * zero) into `store`, and resumes it. Answer: captured with the same `id`, or died. Nobody else may change
   * `store` until then, and what was captured is sent before the next capture is asked for.
   */
  capture(id: number, scope: 'dirty' | 'all'): void
  /** Why `state` can't be loaded; undefined if it can. Called before a checkpoint is committed. */
  check(state: GuestState): string | undefined
  /** So many bytes of its output, said by `output`, have left or were dropped: it may say more. */
  settled(bytes: number): void
  open(connection: number): void
  /** `bytes` now belong to the guest. */
  input(connection: number, bytes: Uint8Array): void
  close(connection: number): void
  suspend(): void
  resume(): void
  /** Ends it at once, whatever it does. No event comes from it afterwards, and `store` is left alone. */
  stop(): void
}

export interface GuestIdentity {
  readonly name: string
  /** SHA-256 of the module, hex: both sides must run the same. */
  readonly digest: string
  /** The most RAM it may have: a multiple of the page size. */
  readonly memoryBytes: number
}

export interface GuestHandlers {
  running(): void
  output(connection: number, bytes: Uint8Array): void
  /** The guest wants this connection closed, after the output so far. */
  closing(connection: number): void
  /** One call said more than callOutputBytesMax: the rest was dropped, the connection is to be reset. */
  cut(connection: number): void
  /** Of the capture `id`, the first `pages` of `pfns` are in the store; more may come. Never needed. */
  capturing(id: number, pfns: Uint32Array, pages: number): void
  captured(capture: Capture): void
  /** Pages changed since the last capture, once they are more than `dirtyPagesMax`. Never needed. */
  dirtied(pages: number): void
  /** Client bytes that were handed over and are now taken by the guest. */
  took(bytes: number): void
  /** `call`: whose input it was given when it died, if it was. */
  died(why: string, call?: GuestCall): void
}

/** A call into the guest with a client's input. */
export interface GuestCall {
  readonly connection: number
  /** How much of that client's input it had with this call, modulo 2 ** 32. */
  readonly taken: number
}

/**
 * New connections are taken (`yes`), refused (`no`), or kept waiting, unread, until the side serves, at most
 * claimingClientsMs from the first `claiming` in a row (`claiming`).
 */
export type ServeMode = 'yes' | 'no' | 'claiming'

/** Where released output goes, and where clients come from. */
export interface OutputPort {
  write(connection: number, bytes: Uint8Array): void
  /** An orderly end, after what was written: the guest closed it. */
  close(connection: number): void
  /** An end that cannot pass for an orderly one; what was not written yet is dropped. */
  reset(connection: number): void
  serve(mode: ServeMode): void
  /** Resets every connection; what was not written yet is dropped. */
  closeAll(): void
  /** Stops and starts reading from clients. */
  pauseInput(paused: boolean): void
}

export interface WitnessAnswer {
  /** False: the witness could not be asked, or did not answer. */
  readonly reached: boolean
  readonly register: Register | undefined
  /** Why it was not reached: the thing and the reason. */
  readonly why?: string
  /** How many pairs have a register here. */
  readonly pairs?: number
}

/** What a write replaces: the register that the writer knows, or no register of its pair among so many others. */
export type WriteBase = Register | { readonly pairs: number }

/** The judge between the sides. Answers may be lost; a late answer to an abandoned question is dropped. */
export interface Witness {
  readonly kind: string
  /** Both sides read and write the same register; without that nobody can hand over safely. */
  readonly shared: boolean
  /** What a status must say of it, such as that split brain is possible. */
  readonly warning: string | undefined
  /**
   * The register of `pair`, undefined if there is none. `pair` is empty for a side that has seen none: it is
   * answered with the only register that there is, if there is just one, and with how many there are.
   * Reading changes nothing.
   */
  read(pair: PairId, answer: (answer: WitnessAnswer) => void): void
  /**
   * Writes `next` if the register is `from`, by its nonce; or, from no register, if there is none of this pair
   * and no other pair was founded meanwhile. Answers with the register as it then is, whoever wrote it. The same
   * write sent again is no error. The answer comes once the register is durable.
   */
  compareAndSet(from: WriteBase, next: Register, answer: (answer: WitnessAnswer) => void): void
  /** The peer told of a register; a witness without shared storage learns by this. */
  learn(register: Register): void
  /** An operator granted what this witness holds back. */
  grant(): void
}

/** What outlives a side's process. `pair` and `nonce` are empty while no register was seen. */
export interface Seen {
  readonly pair: PairId
  readonly generation: Generation
  readonly nonce: Nonce
  readonly epoch: Epoch
}

/** The only things that a side remembers across its own death. `save` returns at once. */
export interface Disk {
  load(): Seen
  save(seen: Seen): void
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Where rows, log lines and events go; the simulator's checkers listen here. */
export interface Trace {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void
  /** One error between the sides, wanted or not. */
  error(code: ErrorCode, detail: string): void
  checkpoint(row: CheckpointRow): void
  failover(row: FailoverRow): void
  /** Something that operators who watch are told at once. */
  changed(): void
}

export interface World {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  readonly guest: GuestPort
  readonly output: OutputPort
  readonly witness: Witness
  readonly disk: Disk
  readonly trace: Trace
}
