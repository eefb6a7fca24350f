import type { Schema } from './scheduler'

export type Kind = 'text' | 'number' | 'flag' | 'choice' | 'date' | 'json'

/** One parameter of a function, and how it is asked for. */
export interface Parameter {
  name: string
  kind: Kind
  schema: Schema
  required: boolean
  nullable: boolean
  /** What a choice offers, as JSON texts. */
  choices: string[]
}

/** List what a function takes, in the order of its signature. */
export function parametersOf({ parameters }: { parameters: Schema }): Parameter[] {
  const required = new Set(parameters.required ?? [])
  return Object.entries(parameters.properties ?? {}).map(([name, given]) => {
    const whole = resolved(given, parameters)
    const nullable = whole.anyOf?.some((each) => each.type === 'null') ?? false
    const options = whole.anyOf?.filter((each) => each.type !== 'null') ?? []
    const schema = options.length === 1 ? resolved(options[0] as Schema, parameters) : whole
    const choices = (schema.enum ?? []).map((value) => JSON.stringify(value))
    return { name, kind: kindOf(schema), schema, required: required.has(name), nullable, choices }
  })
}

function resolved(schema: Schema, whole: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  const found = name === undefined ? undefined : whole.$defs?.[name]
  return found === undefined ? schema : { ...found, ...schema }
}

function kindOf(schema: Schema): Kind {
  if (schema.enum) return 'choice'
  if (schema.type === 'boolean') return 'flag'
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (schema.type === 'string') return schema.format === 'date' ? 'date' : 'text'
  return 'json'
}

/** Write a stored argument as the form shows it. */
export function shown(parameter: Parameter, value: unknown): string {
  if (value === undefined || (value === null && parameter.kind !== 'json')) return ''
  if (parameter.kind === 'choice') return JSON.stringify(value)
  return parameter.kind === 'json' || typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Read what was filled in; `undefined` leaves a parameter to its default. Throws where JSON was asked for and is none. */
export function filledIn(parameter: Parameter, given: string | number): unknown {
  const text = String(given).trim() // Vue makes a number of what stands in a field for numbers
  if (text === '') return parameter.required && parameter.kind === 'text' ? '' : undefined
  switch (parameter.kind) {
    case 'number':
      return Number(text)
    case 'flag':
      return text === 'true'
    case 'choice':
    case 'json':
      return JSON.parse(text)
    default:
      return given
  }
}
