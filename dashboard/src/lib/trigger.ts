import { moment, span } from './format'
import { language, t } from './i18n'
import type { Job } from './scheduler'

const UNITS = ['weeks', 'days', 'hours', 'minutes', 'seconds'] as const
const CRON = ['year', 'month', 'day', 'week', 'day_of_week', 'hour', 'minute', 'second'] as const

/** Say when a job runs, in the reader's language as far as there are words for it. */
export function inWords(job: Job): string {
  if (job.trigger === 'date' && job.run_date) return t('trigger.once', { at: moment(Date.parse(job.run_date)) })
  if (job.trigger === 'interval') {
    const parts = UNITS.flatMap((unit) => {
      const count = job[unit]
      return typeof count === 'number' ? [span(count, unit.slice(0, -1) as 'week')] : []
    })
    return t('trigger.every', { span: parts.join(' ') })
  }
  if (job.crontab) return language.value === 'en' && job.in_words ? job.in_words : `crontab ${job.crontab}`
  const fields = CRON.flatMap((field) => (job[field] === undefined ? [] : [`${field}=${String(job[field])}`]))
  return fields.length > 0 ? `${job.trigger} ${fields.join(' ')}` : job.trigger
}
