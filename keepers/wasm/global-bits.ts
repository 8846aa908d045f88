// A global's value as 64 raw bits, and back.

import type { WasmGlobal } from '../../shared/memory/webassembly.ts'

const bits = new DataView(new ArrayBuffer(8))

export function globalBits(global: WasmGlobal): bigint {
  const value: unknown = global.value
  if (typeof value === 'bigint') return BigInt.asUintN(64, value)
  bits.setFloat64(0, Number(value), true)
  return bits.getBigUint64(0, true)
}

export function setGlobal(global: WasmGlobal, raw: bigint): void {
  if (typeof global.value === 'bigint') {
    global.value = BigInt.asIntN(64, raw)
    return
  }
  bits.setBigUint64(0, raw, true)
  global.value = bits.getFloat64(0, true)
}
