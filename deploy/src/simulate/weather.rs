//! Sun, clouds, temperature and wind of a site.

use super::random::Drift;
use dcmms_schemas::time::{DAY, HOUR, Moment};

/// Where a site lies and what its climate is.
#[derive(Clone, Debug)]
pub struct Climate {
    pub latitude_deg: f64,
    pub longitude_deg: f64,
    /// Yearly mean and half the summer-winter difference.
    pub mean_c: f64,
    pub season_c: f64,
    /// Half the day-night difference.
    pub day_c: f64,
    pub wind_m_s: f64,
    /// 0: always clear, 1: mostly overcast.
    pub cloudiness: f64,
}

/// What the instruments of a site would say without fault.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub ghi_w_m2: f64,
    pub poa_w_m2: f64,
    pub ambient_c: f64,
    pub module_c: f64,
    pub wind_m_s: f64,
    pub pressure_hpa: f64,
}

/// The sky of one site, stepped along.
#[derive(Clone, Debug)]
pub struct Sky {
    climate: Climate,
    day: Drift,
    cloud: Drift,
    flicker: Drift,
    warmth: Drift,
    wind: Drift,
    gust: Drift,
    pressure: Drift,
}

impl Sky {
    pub fn new(climate: Climate, seed: u64, site: &str) -> Sky {
        let drift = |name: &str, memory_s: f64| Drift::new(seed, &format!("{site}/{name}"), memory_s);
        Sky {
            climate,
            day: drift("day", 30.0 * 3_600.0),
            cloud: drift("cloud", 2_400.0),
            flicker: drift("flicker", 180.0),
            warmth: drift("warmth", 40.0 * 3_600.0),
            wind: drift("wind", 9.0 * 3_600.0),
            gust: drift("gust", 240.0),
            pressure: drift("pressure", 50.0 * 3_600.0),
        }
    }

    /// The weather at `at`, `seconds` after the call before.
    pub fn step(&mut self, at: Moment, seconds: f64) -> Weather {
        let sun = Sun::at(at, self.climate.latitude_deg, self.climate.longitude_deg);
        let cover = self.cover(seconds);
        let ghi_w_m2 = sun.clear_w_m2() * cover;
        let poa_w_m2 = sun.on_plane(ghi_w_m2);
        let season = (std::f64::consts::TAU * (sun.year_day - 197.0) / 365.25).cos() * self.climate.latitude_deg.signum();
        let day = (std::f64::consts::TAU * (sun.solar_hour - 15.0) / 24.0).cos();
        let ambient_c = self.climate.mean_c + self.climate.season_c * season + self.climate.day_c * day + 2.2 * self.warmth.step(seconds);
        // Weibull-like: the square of a normal-ish drift keeps calm hours common and storms rare.
        let slow = 1.0 + 0.42 * self.wind.step(seconds);
        let wind_m_s = (self.climate.wind_m_s * slow.max(0.05).powf(1.2) * (1.0 - 0.12 * day) + 0.55 * self.gust.step(seconds)).max(0.0);
        Weather {
            ghi_w_m2,
            poa_w_m2,
            ambient_c,
            module_c: ambient_c + poa_w_m2 * 0.028 / (1.0 + 0.06 * wind_m_s),
            wind_m_s,
            pressure_hpa: 1_008.0 + 6.0 * self.pressure.step(seconds),
        }
    }

    /// The share of clear-sky light that arrives.
    fn cover(&mut self, seconds: f64) -> f64 {
        let mood = self.day.step(seconds) + 2.4 * self.climate.cloudiness - 1.6 + 0.8 * self.cloud.step(seconds);
        let cloud = 1.0 / (1.0 + (-2.2 * mood).exp());
        let flicker = 0.10 * cloud * (1.0 - cloud) * 4.0 * self.flicker.step(seconds);
        (1.0 - 0.72 * cloud + flicker).clamp(0.08, 1.0)
    }
}

/// The sun as a site sees it, to about a degree.
#[derive(Clone, Copy, Debug)]
pub struct Sun {
    year_day: f64,
    solar_hour: f64,
    cos_zenith: f64,
    cos_incidence: f64,
}

impl Sun {
    /// Modules lean this far towards the equator.
    const TILT_DEG: f64 = 22.0;

    pub fn at(at: Moment, latitude_deg: f64, longitude_deg: f64) -> Sun {
        let year_day = (at.0 as f64 / DAY as f64 + 0.0).rem_euclid(365.2425) + 1.0;
        let angle = std::f64::consts::TAU * (year_day - 1.0) / 365.2425;
        // Spencer's series for declination; the equation of time in minutes.
        let declination = 0.006_918 - 0.399_912 * angle.cos() + 0.070_257 * angle.sin() - 0.006_758 * (2.0 * angle).cos()
            + 0.000_907 * (2.0 * angle).sin();
        let equation_min = 229.18
            * (0.000_075 + 0.001_868 * angle.cos()
                - 0.032_077 * angle.sin()
                - 0.014_615 * (2.0 * angle).cos()
                - 0.040_849 * (2.0 * angle).sin());
        let utc_hour = (at.0.rem_euclid(DAY)) as f64 / HOUR as f64;
        let solar_hour = (utc_hour + longitude_deg / 15.0 + equation_min / 60.0).rem_euclid(24.0);
        let hour_angle = (solar_hour - 12.0) * std::f64::consts::PI / 12.0;
        let latitude = latitude_deg.to_radians();
        let cos_zenith = latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour_angle.cos();
        // A plane that leans by the tilt towards the equator sees the sun as if it lay so much nearer to it.
        let leaned = latitude - Self::TILT_DEG.to_radians() * latitude.signum();
        let cos_incidence = leaned.sin() * declination.sin() + leaned.cos() * declination.cos() * hour_angle.cos();
        Sun { year_day, solar_hour, cos_zenith, cos_incidence }
    }

    /// Global irradiance on level ground under a clear sky (Haurwitz).
    pub fn clear_w_m2(&self) -> f64 {
        if self.cos_zenith <= 0.0 { 0.0 } else { 1_098.0 * self.cos_zenith * (-0.057 / self.cos_zenith).exp() }
    }

    /// Irradiance on the modules' plane when `ghi_w_m2` falls on level ground.
    fn on_plane(&self, ghi_w_m2: f64) -> f64 {
        if self.cos_zenith <= 0.0 {
            return 0.0;
        }
        let beam = 0.82 * ghi_w_m2 * (self.cos_incidence.max(0.0) / self.cos_zenith.max(0.12)).min(2.2);
        let diffuse = 0.18 * ghi_w_m2 * (1.0 + Self::TILT_DEG.to_radians().cos()) / 2.0;
        (beam + diffuse).min(1_250.0)
    }
}
