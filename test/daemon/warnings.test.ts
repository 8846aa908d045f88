// A warning lasts from its beginning to its end, is told twice, and follows its text in between.

import { expect, test } from 'vitest'
import { WarningList } from '../../daemon/warnings.ts'
import { warningList } from './folder.ts'

test('begins and ends once, whatever its text becomes meanwhile', () => {
  const { warnings, told } = warningList()
  warnings.set('log', 'full; 1 line was lost')
  warnings.set('log', 'full; 2 lines were lost')
  warnings.set('seen file', 'full')
  expect(warnings.all).toEqual(['full; 2 lines were lost', 'full'])
  warnings.clear('log')
  warnings.clear('log')
  expect(warnings.all).toEqual(['full'])
  expect(told).toEqual([
    'log began: full; 1 line was lost',
    'seen file began: full',
    'log ended: full; 2 lines were lost',
  ])
})

test('each new list is announced, and nothing else', () => {
  let changes = 0
  const ignore = () => undefined
  const warnings = new WarningList({ began: ignore, ended: ignore, changed: () => changes++ })
  warnings.clear('log')
  expect(changes).toBe(0)
  warnings.set('log', 'full')
  warnings.set('log', 'full')
  expect(changes).toBe(1)
  warnings.clear('log')
  expect(changes).toBe(2)
})
