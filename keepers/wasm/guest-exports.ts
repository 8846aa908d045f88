// What a guest's module exports: the functions of the guest's ABI (docs/guests.md).

import type { WasmGlobal } from '../../shared/memory/webassembly.ts'

export interface GuestExports {
  readonly colo_abi: WasmGlobal | (() => unknown)
  readonly colo_start?: () => void
  colo_buffer(size: number): number
  colo_open(connection: number): void
  colo_input(connection: number, at: number, length: number): void
  colo_close(connection: number): void
}
