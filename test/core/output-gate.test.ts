// Output commit: what is said in epoch N leaves with checkpoint N, in order, and never sooner.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OutputGate } from '../../primary/output-gate.ts'

const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))

function make() {
  const left: string[] = []
  const gate = new OutputGate({
    write: (connection, bytes) => left.push(`${connection} ${String.fromCharCode(...bytes)}`),
    close: (connection) => left.push(`${connection} closed`),
  })
  return { left, gate }
}

describe('the output gate', () => {
  test('drops what is held for a connection that is gone, and nothing else', () => {
    const left: string[] = []
    let settled = 0
    const gate = new OutputGate(
      {
        write: (connection, bytes) => left.push(`${connection} ${String.fromCharCode(...bytes)}`),
        close: (connection) => left.push(`${connection} closed`),
      },
      (bytes) => (settled += bytes),
    )
    gate.hold()
    gate.said(1, 7, bytesOf('a'), 0)
    gate.said(1, 8, bytesOf('bb'), 0)
    gate.said(2, 7, bytesOf('ccc'), 0)
    gate.said(2, 7, undefined, 0)
    gate.release(1)
    expect({ left, settled }).toEqual({ left: ['7 a', '8 bb'], settled: 3 })
    gate.said(3, 8, bytesOf('dddd'), 0)
    gate.drop(7)
    gate.drop(9)
    expect({ held: gate.heldBytes, settled }).toEqual({ held: 4, settled: 6 })
    gate.said(3, 7, bytesOf('e'), 0)
    gate.drops(bytesOf('ff'))
    expect(gate.release(3)).toBe(5)
    expect({ left, settled }).toEqual({ left: ['7 a', '8 bb', '8 dddd', '7 e'], settled: 13 })
  })

  test('is open at first, and lets everything out at once', () => {
    const { left, gate } = make()
    gate.said(1, 7, bytesOf('a'), 0)
    gate.said(1, 7, undefined, 0)
    expect(left).toEqual(['7 a', '7 closed'])
    expect({ open: gate.isOpen, held: gate.heldBytes }).toEqual({ open: true, held: 0 })
  })

  test('holds, and lets out what the committed epoch ends', () => {
    const { left, gate } = make()
    gate.hold()
    gate.said(1, 7, bytesOf('one'), 10)
    gate.said(2, 8, bytesOf('two'), 20)
    gate.said(2, 7, undefined, 21)
    expect({ held: gate.heldBytes, since: gate.heldSince }).toEqual({ held: 6, since: 10 })
    expect(gate.release(1)).toBe(3)
    expect(left).toEqual(['7 one'])
    expect(gate.heldSince).toBe(20)
    expect(gate.release(2)).toBe(3)
    expect(left).toEqual(['7 one', '8 two', '7 closed'])
    expect(gate.heldSince).toBeUndefined()
  })

  test('opens with all that was held, and drops it if another side goes on', () => {
    const opened = make()
    opened.gate.hold()
    opened.gate.said(5, 1, bytesOf('x'), 0)
    expect(opened.gate.open()).toBe(1)
    expect(opened.left).toEqual(['1 x'])
    const dropped = make()
    dropped.gate.hold()
    dropped.gate.said(5, 1, bytesOf('x'), 0)
    dropped.gate.discard()
    dropped.gate.said(6, 1, bytesOf('y'), 0)
    expect(dropped.left).toEqual([])
    expect(dropped.gate.heldBytes).toBe(1)
  })

  test('asserts that nothing is released from an open gate', () => {
    expect(() => make().gate.release(1)).toThrow('output-commit')
  })

  test('is a queue by epoch, for any talk and any releases', () => {
    const step = fc.oneof(
      fc.record({ say: fc.string({ maxLength: 5 }), to: fc.nat(3) }),
      fc.constant({ capture: true as const }),
      fc.constant({ release: true as const }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { left, gate } = make()
        gate.hold()
        let epoch = 1
        const said: { epoch: number; line: string; bytes: number }[] = []
        let released = 0
        for (const one of steps) {
          if ('capture' in one) epoch++
          else if ('release' in one) {
            gate.release(epoch - 1)
            released = epoch - 1
          } else {
            const bytes = bytesOf(one.say)
            gate.said(epoch, one.to, bytes, 0)
            said.push({
              epoch,
              line: `${one.to} ${String.fromCharCode(...bytes)}`,
              bytes: bytes.length,
            })
          }
        }
        const gone = said.filter((one) => one.epoch <= released)
        const held = said.filter((one) => one.epoch > released)
        expect(left).toEqual(gone.map(({ line }) => line))
        expect(gate.heldBytes).toBe(held.reduce((sum, { bytes }) => sum + bytes, 0))
      }),
    )
  })

  test('forgets what it let go, however much that is', () => {
    const { left, gate } = make()
    gate.hold()
    for (let i = 0; i < 5000; i++) gate.said(i, 1, bytesOf('z'), i)
    for (let epoch = 0; epoch < 5000; epoch += 7) gate.release(epoch)
    expect(left.length).toBe(4999 - (4999 % 7) + 1)
    expect(gate.heldSince).toBe(left.length)
    gate.release(5000)
    expect(left.length).toBe(5000)
  })
})
