// What the daemon's thread and the guest's thread say to each other. Bytes are handed over, not copied; RAM
// never travels this way: both threads see the page store.

import type { VMStateTraceEvent } from '../../formats/qemu/vmstate/trace-events.ts'
import type { DirtyScheme } from './guest-module.ts'
import type { ModuleFacts } from './abi/wasm-module.ts'
import type { WasmModule } from '../../shared/memory/webassembly.ts'

export interface GuestWorkerData {
  readonly module: WasmModule
  readonly facts: ModuleFacts
  readonly memoryBytes: number
  readonly scheme: DirtyScheme
  /** What the guest's memory is moved up by. */
  readonly tableBytes: number
  /** The page store's buffer: pages first. */
  readonly store: SharedArrayBuffer
  /** Page frame numbers of the last capture. */
  readonly pfns: SharedArrayBuffer
  /** Whether it says what is saved and loaded of the guest's state. */
  readonly traced: boolean
  /** Of this thread alone: SIGNAL_BYTES, see SIGNALS. */
  readonly signals: SharedArrayBuffer
}

/** What both threads look at without a message: an i32 each. */
export const SIGNALS = {
  /** Odd while a call into the guest is under way, one more at each entry and exit. */
  calls: 0,
  /** Who may write the page store: one of STORE_USE. */
  store: 1,
  /** Whose input the call under way is given, or 0; and how much of that client's input the guest has with it. */
  connection: 2,
  taken: 3,
  /** Weight of the output that has left the daemon's thread or was dropped; wraps around. */
  settled: 4,
  /** 1: the guest's thread waits for `settled` to grow, and wants to be told. */
  waits: 5,
} as const

export const SIGNAL_BYTES = 24

/** A message costs memory beside its bytes, so that many small ones weigh as much as a few large ones. */
const MESSAGE_WEIGHT = 256

export function outputWeight(bytes: number): number {
  return bytes + MESSAGE_WEIGHT
}

/** A thread that is ended by others runs on for a moment; by then the store belongs to somebody else. */
export const STORE_USE = { free: 0, capturing: 1, ended: 2 } as const

export type ToGuest =
  | { readonly type: 'start' }
  | { readonly type: 'load'; readonly cpu: Uint8Array; readonly device: Uint8Array }
  | { readonly type: 'capture'; readonly id: number; readonly all: boolean }
  | { readonly type: 'open'; readonly connection: number }
  | { readonly type: 'input'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly type: 'close'; readonly connection: number }
  /** Output has left: the guest may take more input. */
  | { readonly type: 'settled' }
  | { readonly type: 'suspend' }
  | { readonly type: 'resume' }

export type FromGuest =
  | { readonly type: 'running' }
  | { readonly type: 'output'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly type: 'closing'; readonly connection: number }
  /** One call said more than callOutputBytesMax, and not all of it was posted. */
  | { readonly type: 'cut'; readonly connection: number }
  | { readonly type: 'took'; readonly bytes: number }
  | { readonly type: 'dirtied'; readonly pages: number }
  | { readonly type: 'capturing'; readonly id: number; readonly pages: number }
  | {
      readonly type: 'captured'
      readonly id: number
      readonly cpu: Uint8Array
      readonly device: Uint8Array
      readonly pages: number
      readonly pauseMs: number
      readonly findMs: number
    }
  | {
      readonly type: 'traced'
      readonly event: VMStateTraceEvent
      readonly args: readonly (string | number)[]
    }
  | { readonly type: 'died'; readonly why: string }
