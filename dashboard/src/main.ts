import { createApp } from 'vue'
import App from './App.vue'
import { failure } from './lib/failure'
import { restore } from './lib/session'
import { router } from './router'
import './app.css'

const app = createApp(App)
app.config.errorHandler = (reason) => {
  failure.value = true
  console.error(reason)
}
app.use(router)
void restore().finally(() => app.mount('#app'))
