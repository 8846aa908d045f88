// package-lock.json is whole and says nothing of where it was written: npm 9 and 10 refuse one that leaves out the
// binaries of other machines, and newer ones complete it, so that every `npm install` would change it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ROOT } from '../checkout.ts'

const names = z.record(z.string(), z.string()).optional()
const entrySchema = z.object({
  ...{ name: z.string().optional(), version: z.string().optional() },
  integrity: z.string().optional(),
  ...{ dependencies: names, devDependencies: names, optionalDependencies: names },
})
const lockSchema = z.object({
  ...{ name: z.string(), version: z.string(), lockfileVersion: z.literal(3) },
  packages: z.record(z.string(), entrySchema),
})

type Lock = z.infer<typeof lockSchema>

const textOf = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const text = textOf('package-lock.json')
const lock = lockSchema.parse(JSON.parse(text))
const manifest = entrySchema.parse(JSON.parse(textOf('package.json')))

/** As Node looks for it: in the package's own node_modules, then in each folder above. */
function isFound(packages: Lock['packages'], from: string, name: string): boolean {
  const place = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`
  if (place in packages) return true
  if (from === '') return false
  const above = from.lastIndexOf('/node_modules/')
  return isFound(packages, above < 0 ? '' : from.slice(0, above), name)
}

function missing({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, entry]) => {
    const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = entry
    const wanted = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
    return wanted
      .filter((name) => !isFound(packages, path, name))
      .map((name) => `${name}, wanted by ${path || 'the project'}`)
  })
}

describe('package-lock.json', () => {
  test('lists every package, the binaries of other machines too', () => {
    expect(missing(lock)).toEqual([])
    const { packages } = lock
    const binary = 'node_modules/@rolldown/binding-win32-x64-msvc'
    expect(packages).toHaveProperty([binary])
    const rest = Object.entries(packages).filter(([path]) => path !== binary)
    expect(missing({ ...lock, packages: Object.fromEntries(rest) })).toEqual([
      '@rolldown/binding-win32-x64-msvc, wanted by node_modules/rolldown',
    ])
  })

  test('has the digest of every package, and names no registry', () => {
    const { '': project, ...packages } = lock.packages
    expect(project).toBeDefined()
    const bare = Object.entries(packages).filter(([, { integrity }]) => integrity === undefined)
    expect(bare).toEqual([])
    expect(text).not.toContain('"resolved"')
  })

  test('is of this package.json', () => {
    const { name, version, dependencies, devDependencies } = manifest
    expect(lock).toMatchObject({ name, version })
    expect(lock.packages['']).toMatchObject({ name, version })
    expect(lock.packages[''].dependencies).toEqual(dependencies)
    expect(lock.packages[''].devDependencies).toEqual(devDependencies)
  })
})
