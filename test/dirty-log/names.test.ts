// Names after the rewriting, as an engine shows them: in the stack of a trap.

import { describe, expect, test } from 'vitest'
import type { ByteWriter } from '../../formats/wasm/byte-writer.ts'
import { addDirtyLog, isRewritten, MARK_EXPORT } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { functionOf, WebAssembly } from './engine.ts'
import { bodyOf, bytesOf, ModuleWriter } from './module-writer.ts'

const part = (id: number, write: (out: ByteWriter) => void): Uint8Array =>
  bytesOf((out) => {
    out.put(id)
    out.sized(bytesOf(write))
  })

/** A name section with the module's name, the functions' and a local's. */
const names = bytesOf((out) => {
  out.copy(part(0, (content) => content.name('small')))
  const functions = (content: ByteWriter) => {
    content.put(2, 0)
    content.name('inner_trap')
    content.put(1)
    content.name('outer_call')
  }
  out.copy(part(1, functions))
  const locals = (content: ByteWriter) => {
    content.put(1, 1, 1, 0)
    content.name('address')
  }
  out.copy(part(2, locals))
})

function namedModule(nameSection: Uint8Array): Uint8Array {
  const writer = new ModuleWriter()
  writer.add('type', (out) => out.put(0x60, 0, 0))
  for (let i = 0; i < 2; i++) writer.add('function', (out) => out.put(0))
  writer.add('memory', (out) => out.put(1, 1, 1))
  writer.add('export', (out) => {
    out.name('f')
    out.put(0, 1)
  })
  const store = [0x41, 0x78, 0x41, 0, 0x36, 2, 0]
  for (const code of [
    [0, ...store, 0x0b],
    [0, 0x10, 0, 0x0b],
  ]) {
    writer.add('code', (out) => out.copy(bodyOf(Uint8Array.from(code))))
  }
  writer.addCustom('producers', new Uint8Array([0]))
  writer.addCustom('name', nameSection)
  return writer.bytes()
}

function rewritten(bytes: Uint8Array): Uint8Array {
  const log = addDirtyLog(bytes)
  if (!isRewritten(log)) throw new Error(log.refused)
  expect(WebAssembly.validate(log.bytes)).toBe(true)
  return log.bytes
}

function stackOf(bytes: Uint8Array, name: string, ...args: number[]): string {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {})
  try {
    functionOf(instance, name)(...args)
    return ''
  } catch (error) {
    return (error as Error).stack ?? ''
  }
}

const functionsIn = (stack: string) =>
  [...stack.matchAll(/at (\S+) \(wasm/g)].map(([, name]) => name)

describe('the name section', () => {
  const bytes = namedModule(names)

  test('names the same functions as before', () => {
    const plain = functionsIn(stackOf(bytes, 'f'))
    expect(plain).toEqual(['small.inner_trap', 'small.outer_call'])
    expect(functionsIn(stackOf(rewritten(bytes), 'f'))).toEqual(plain)
  })

  test('names the function that marks', () => {
    const stack = stackOf(rewritten(bytes), MARK_EXPORT, 65536, 1)
    expect(functionsIn(stack)).toEqual([`small.${MARK_EXPORT}`])
  })

  test('is dropped when it is damaged, and the module stays valid', () => {
    const damaged = namedModule(names.subarray(0, names.length - 3))
    const numbers = [...stackOf(rewritten(damaged), 'f').matchAll(/wasm-function\[(\d+)\]/g)]
    expect(numbers.map(([, number]) => number)).toEqual(['0', '1'])
  })

  test('is all that is kept of the custom sections', () => {
    const text = Buffer.from(rewritten(bytes)).toString('latin1')
    expect(text).toContain('outer_call')
    expect(text).not.toContain('producers')
  })
})
