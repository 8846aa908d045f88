// The example that strangers copy does what its README says.
import { expect, test } from 'vitest'
import { Guest } from './host.ts'

test('answers each line with the count, over all connections', () => {
  const guest = new Guest('counter')
  guest.open(1)
  guest.open(2)
  expect(guest.send(1, 'a\nb\n')).toBe('1\n2\n')
  expect(guest.send(2, 'half a li')).toBe('')
  expect(guest.send(2, 'ne\n')).toBe('3\n')
})

test('goes on counting in a fresh instance that was given its memory', () => {
  const guest = new Guest('counter')
  guest.open(1)
  guest.send(1, '\n'.repeat(1234))
  const survivor = new Guest('counter', { memory: guest.snapshot() })
  survivor.close(1)
  survivor.open(2)
  expect(survivor.send(2, 'x\n')).toBe('1235\n')
})

test('refuses more input than it has room for', () => {
  const guest = new Guest('counter')
  expect(guest.exports.colo_buffer(16384)).not.toBe(0)
  expect(guest.exports.colo_buffer(16385)).toBe(0)
})
