// What a guest is to the pair, whatever runs it. docs/guests.md walks three kinds through a checkpoint: a guest
// that the daemon drives (wasm), one that asks for checkpoints itself and streams its own state (QEMU), and a
// secondary whose guest runs too (hybrid mode). The contract names the state and the capture; the calls are
// `GuestPort` and the answers `GuestHandlers` in ports.ts. It does not say how dirty pages are found.

/** 4 KiB: the page of every stream, map and list in the pair. */
export const PAGE_SHIFT = 12
export const PAGE_BYTES = 1 << PAGE_SHIFT

/** Everything of a guest that is not RAM. Opaque to the pair; its keeper wrote it and reads it. */
export interface GuestState {
  /** Travels as HVM_CONTEXT. For a WebAssembly guest: its mutable globals and its memory size. */
  readonly cpu: Uint8Array
  /** Travels behind the header in EMULATOR_CONTEXT. For a WebAssembly guest: open connections, counters, its clock. */
  readonly device: Uint8Array
}

/** A guest as it stood at one boundary. Its pages are in the page store when this is announced. */
export interface Capture {
  /** Of the call that asked for it. */
  readonly id: number
  readonly state: GuestState
  /** Page frame numbers of the pages that changed, ascending; only the first `pages` count. */
  readonly pfns: Uint32Array
  readonly pages: number
  /** How long the guest stood still, milliseconds. */
  readonly pauseMs: number
  /** Of that, how long finding and copying the dirty pages took, milliseconds. */
  readonly findMs: number
}
