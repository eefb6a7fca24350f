import { ref } from 'vue'

/** The time in milliseconds, moved on once a second for what ages on the page. */
export const now = ref(Date.now())

setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1000)
document.addEventListener('visibilitychange', () => (now.value = Date.now()))
